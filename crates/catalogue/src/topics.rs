//! The Kafka topics: names, partitioning, retention, and which topic collects whose dead letters.

use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// A Kafka topic. Numbers are defaults: an environment may override partitions and retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Name on the broker.
    pub name: &'static str,
    /// What the topic carries, in one sentence.
    pub summary: &'static str,
    /// Events of our own, or the dead letters of another topic.
    pub kind: TopicKind,
    /// What the record key holds; it alone decides the partition.
    pub key: RecordKey,
    /// Partitions where the environment says nothing (1 to 1,000). Can only grow. A dead-letter twin has at least its
    /// origin's.
    pub default_partitions: u32,
    /// How long the broker keeps a record where the environment says nothing (`retention.ms`, whole seconds).
    pub default_retention: Duration,
    /// Largest record batch that the broker takes, in bytes (`max.message.bytes`). A twin takes more than its origin,
    /// because a dead letter adds headers.
    pub max_message_bytes: u32,
}

/// The role of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicKind {
    /// Facts that services publish.
    Events,
    /// Records of the named origin topic that a consumer gave up on.
    DeadLettersOf(&'static str),
}

/// What a record key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKey {
    /// The decimal task id in ASCII, so that all events of one task stay in order.
    TaskId,
}

impl Topic {
    /// The origin, when this topic is a dead-letter twin.
    pub const fn origin(&self) -> Option<&'static str> {
        match self.kind {
            TopicKind::Events => None,
            TopicKind::DeadLettersOf(origin) => Some(origin),
        }
    }

    /// Whether this topic is a dead-letter twin.
    pub const fn is_dead_letter_twin(&self) -> bool {
        self.origin().is_some()
    }
}

/// Name of the topic of task events.
pub const TASK_EVENTS: &str = "task-events";
/// Name of the topic of due reminders.
pub const REMINDERS: &str = "reminders";
/// Name of the dead-letter twin of [`TASK_EVENTS`].
pub const TASK_EVENTS_DLQ: &str = "task-events-dlq";
/// Name of the dead-letter twin of [`REMINDERS`].
pub const REMINDERS_DLQ: &str = "reminders-dlq";

/// The names of the topics that are not twins: the values of the label `topic` on dead-letter metrics.
pub const ORIGINS: &[&str] = &[REMINDERS, TASK_EVENTS];

/// Partitions of every topic where an environment says nothing.
pub const DEFAULT_PARTITIONS: u32 = 3;

/// Bytes. A description holds at most 200,000 and JSON escaping at most doubles it (control characters other than tab
/// and line breaks are refused), so Kafka's own default of 1 MiB leaves room for title, tags and envelope.
pub const MAX_EVENT_BYTES: u32 = 1024 * 1024;

/// Bytes: an event, and 64 KiB for the headers that tell why it is here.
pub const MAX_DEAD_LETTER_BYTES: u32 = MAX_EVENT_BYTES + 64 * 1024;

/// Every topic; an origin comes before its twin.
pub const ALL: &[Topic] = &[
    Topic {
        name: TASK_EVENTS,
        summary: "What happened to tasks: created, updated, completed, deleted.",
        kind: TopicKind::Events,
        key: RecordKey::TaskId,
        default_partitions: DEFAULT_PARTITIONS,
        default_retention: DAY.saturating_mul(90),
        max_message_bytes: MAX_EVENT_BYTES,
    },
    Topic {
        name: TASK_EVENTS_DLQ,
        summary: "Task events that a consumer gave up on.",
        kind: TopicKind::DeadLettersOf(TASK_EVENTS),
        key: RecordKey::TaskId,
        default_partitions: DEFAULT_PARTITIONS,
        // dlq-monitor keeps each one in its table; the topic only bridges an outage of dlq-monitor.
        default_retention: DAY.saturating_mul(30),
        max_message_bytes: MAX_DEAD_LETTER_BYTES,
    },
    Topic {
        name: REMINDERS,
        summary: "Reminders that are due, waiting for delivery.",
        kind: TopicKind::Events,
        key: RecordKey::TaskId,
        default_partitions: DEFAULT_PARTITIONS,
        // The table of notification is the truth; an event older than two weeks reminds nobody.
        default_retention: DAY.saturating_mul(14),
        max_message_bytes: MAX_EVENT_BYTES,
    },
    Topic {
        name: REMINDERS_DLQ,
        summary: "Due reminders that a consumer gave up on.",
        kind: TopicKind::DeadLettersOf(REMINDERS),
        key: RecordKey::TaskId,
        default_partitions: DEFAULT_PARTITIONS,
        default_retention: DAY.saturating_mul(30),
        max_message_bytes: MAX_DEAD_LETTER_BYTES,
    },
];
