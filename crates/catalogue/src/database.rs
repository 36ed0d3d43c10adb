//! The `PostgreSQL` schemas: one database, one schema and one role per owner.

use crate::app_ids;

/// Name of the database that holds every schema.
pub const DATABASE: &str = "taskflow";

/// Lowest `PostgreSQL` major version that the services work on.
pub const MINIMUM_POSTGRESQL_MAJOR: u32 = 15;

/// Connections beside the pool that a replica holds over the direct URL: the relay's LISTEN and its slot lock.
pub const RELAY_CONNECTIONS: u32 = 2;

/// Connections that a migration Job holds while it runs.
pub const MIGRATION_CONNECTIONS: u32 = 1;

/// A `PostgreSQL` schema with the one service that reads and writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Name of the schema; queries always qualify with it.
    pub name: &'static str,
    /// App id of the owner. Nobody else has rights in the schema.
    pub owner: &'static str,
    /// Role that the owner connects as, for serving and for migrating.
    pub role: &'static str,
    /// Largest pool of one replica where the environment says nothing (1 to 200 connections).
    pub default_pool_connections: u32,
    /// Connections of one replica outside the pool, held open over the direct URL ([`RELAY_CONNECTIONS`] with an
    /// outbox in use, else 0).
    pub direct_connections: u32,
}

impl Schema {
    /// Connections that one replica may hold at once where the environment says nothing.
    pub const fn default_connections_per_replica(&self) -> u32 {
        self.default_pool_connections + self.direct_connections
    }
}

/// Schema of chat-api.
pub const CHAT: Schema = Schema {
    name: "chat",
    owner: app_ids::CHAT_API,
    role: "taskflow_chat",
    default_pool_connections: 10,
    direct_connections: RELAY_CONNECTIONS,
};
/// Schema of recurring-tasks.
pub const RECURRING: Schema = Schema {
    name: "recurring",
    owner: app_ids::RECURRING_TASKS,
    role: "taskflow_recurring",
    default_pool_connections: 4,
    direct_connections: 0,
};
/// Schema of notification.
pub const NOTIFICATION: Schema = Schema {
    name: "notification",
    owner: app_ids::NOTIFICATION,
    role: "taskflow_notification",
    default_pool_connections: 6,
    direct_connections: RELAY_CONNECTIONS,
};
/// Schema of audit.
pub const AUDIT: Schema = Schema {
    name: "audit",
    owner: app_ids::AUDIT,
    role: "taskflow_audit",
    default_pool_connections: 4,
    direct_connections: 0,
};
/// Schema of dlq-monitor.
pub const DLQ: Schema = Schema {
    name: "dlq",
    owner: app_ids::DLQ_MONITOR,
    role: "taskflow_dlq",
    default_pool_connections: 4,
    direct_connections: RELAY_CONNECTIONS,
};

/// Every schema.
pub const ALL: &[Schema] = &[CHAT, RECURRING, NOTIFICATION, AUDIT, DLQ];
