//! The names of the services: Dapr app id, Kubernetes workload, `service.name` of telemetry and Kafka user alike.

/// The only writer of tasks.
pub const CHAT_API: &str = "chat-api";
/// Turns a completed recurring task into its next instance.
pub const RECURRING_TASKS: &str = "recurring-tasks";
/// Owns reminders and their delivery.
pub const NOTIFICATION: &str = "notification";
/// Keeps the append-only record of every event.
pub const AUDIT: &str = "audit";
/// Pushes live updates to browsers.
pub const WEBSOCKET: &str = "websocket";
/// Stores, explains and replays dead letters.
pub const DLQ_MONITOR: &str = "dlq-monitor";
/// The front end, a static export.
pub const WEB: &str = "web";

/// Every service written in Rust, in the order of [`crate::services::ALL`].
pub const RUST_SERVICES: &[&str] = &[CHAT_API, RECURRING_TASKS, NOTIFICATION, AUDIT, WEBSOCKET, DLQ_MONITOR];
/// The services that own a database schema.
pub const DATABASE_SERVICES: &[&str] = &[CHAT_API, RECURRING_TASKS, NOTIFICATION, AUDIT, DLQ_MONITOR];
/// The services that consume a topic.
pub const CONSUMERS: &[&str] = &[RECURRING_TASKS, NOTIFICATION, AUDIT, WEBSOCKET, DLQ_MONITOR];
/// The consumers that remember in an inbox which events they have applied.
pub const INBOX_SERVICES: &[&str] = &[RECURRING_TASKS, NOTIFICATION, AUDIT, DLQ_MONITOR];
/// The services that publish through an outbox.
pub const PUBLISHERS: &[&str] = &[CHAT_API, NOTIFICATION, DLQ_MONITOR];
/// The services that people reach with a token of their own.
pub const TOKEN_CHECKERS: &[&str] = &[CHAT_API, NOTIFICATION, AUDIT, WEBSOCKET, DLQ_MONITOR];
/// The services that may talk to a Dapr sidecar.
pub const DAPR_SERVICES: &[&str] = &[CHAT_API, RECURRING_TASKS, NOTIFICATION, AUDIT, DLQ_MONITOR];
