//! The `CloudEvents` types that travel on the topics.

use crate::{app_ids, topics};

/// A type of event in its current major version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// `CloudEvents` `type`, major version included.
    pub name: &'static str,
    /// The short form inside the payload (`event_type`), also the value of metric labels and span attributes.
    pub event_type: &'static str,
    /// Topic that carries it.
    pub topic: &'static str,
    /// App id of the service that publishes it first; dlq-monitor may publish it again.
    pub publisher: &'static str,
    /// What has happened.
    pub help: &'static str,
}

/// A task came into being.
pub const TASK_CREATED: EventType = EventType {
    name: "dev.taskflow.task.created.v1",
    event_type: "created",
    topic: topics::TASK_EVENTS,
    publisher: app_ids::CHAT_API,
    help: "A task came into being.",
};
/// A task changed without being completed or deleted; a reopened or snoozed task is an updated one.
pub const TASK_UPDATED: EventType = EventType {
    name: "dev.taskflow.task.updated.v1",
    event_type: "updated",
    topic: topics::TASK_EVENTS,
    publisher: app_ids::CHAT_API,
    help: "A task changed without being completed or deleted.",
};
/// A task was completed.
pub const TASK_COMPLETED: EventType = EventType {
    name: "dev.taskflow.task.completed.v1",
    event_type: "completed",
    topic: topics::TASK_EVENTS,
    publisher: app_ids::CHAT_API,
    help: "A task was completed.",
};
/// A task was deleted.
pub const TASK_DELETED: EventType = EventType {
    name: "dev.taskflow.task.deleted.v1",
    event_type: "deleted",
    topic: topics::TASK_EVENTS,
    publisher: app_ids::CHAT_API,
    help: "A task was deleted.",
};
/// A reminder fell due and was claimed for delivery.
pub const REMINDER_DUE: EventType = EventType {
    name: "dev.taskflow.reminder.due.v1",
    event_type: "due",
    topic: topics::REMINDERS,
    publisher: app_ids::NOTIFICATION,
    help: "A reminder fell due and was claimed for delivery.",
};

/// Every type of event.
pub const ALL: &[EventType] = &[TASK_CREATED, TASK_UPDATED, TASK_COMPLETED, TASK_DELETED, REMINDER_DUE];
