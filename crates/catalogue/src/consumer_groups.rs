//! The Kafka consumer groups: one per consuming service, named like it, except that every websocket replica has its own.

use crate::app_ids;

/// The consumer group of a service. A service has at most one, for all topics that it consumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerGroup {
    /// All replicas share the partitions; a new group starts at the oldest record. Lag is measured and scaled on.
    Shared {
        /// Group id on the broker.
        name: &'static str,
    },
    /// Every replica sees every record and starts at the newest. Outside lag alerts and scaling, and without a
    /// dead-letter topic: clients resume from the database.
    PerReplica {
        /// Group id on the broker; `{podName}` stands for the pod's name.
        template: &'static str,
        /// What every id made from `template` begins with: the prefix of access rules and of exclusions from alerts.
        prefix: &'static str,
    },
}

impl ConsumerGroup {
    /// The group id, or the template of it.
    pub const fn name_or_template(&self) -> &'static str {
        match self {
            Self::Shared { name } => name,
            Self::PerReplica { template, .. } => template,
        }
    }

    /// The id, when replicas share the group.
    pub const fn shared_name(&self) -> Option<&'static str> {
        match self {
            Self::Shared { name } => Some(name),
            Self::PerReplica { .. } => None,
        }
    }

    /// Whether the lag of this group means work left undone.
    pub const fn has_meaningful_lag(&self) -> bool {
        self.shared_name().is_some()
    }
}

/// Group of recurring-tasks.
pub const RECURRING_TASKS: ConsumerGroup = ConsumerGroup::Shared {
    name: app_ids::RECURRING_TASKS,
};
/// Group of notification.
pub const NOTIFICATION: ConsumerGroup = ConsumerGroup::Shared {
    name: app_ids::NOTIFICATION,
};
/// Group of audit.
pub const AUDIT: ConsumerGroup = ConsumerGroup::Shared { name: app_ids::AUDIT };
/// Group of dlq-monitor.
pub const DLQ_MONITOR: ConsumerGroup = ConsumerGroup::Shared {
    name: app_ids::DLQ_MONITOR,
};
/// Groups of websocket, one per replica. Pods of the workload `websocket` are named `websocket-…`.
pub const WEBSOCKET: ConsumerGroup = ConsumerGroup::PerReplica {
    template: "{podName}",
    prefix: "websocket-",
};
