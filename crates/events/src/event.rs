//! An event, as services see it.

use std::borrow::Cow;

use catalogue::{EventType, event_types};
use domain::{
    id::{TaskId, UserId},
    task::transition::{Change, ChangeKind},
    time::Zone,
};
use jiff::Timestamp;

use crate::{
    attribute::{CorrelationId, Counter, EventId, InvalidAttribute, Traceparent},
    contract::Contract,
    envelope::{Envelope, SPEC_VERSION},
    payload::{ReminderPayload, TaskPayload},
    snapshot::TaskSnapshot,
};

/// Something that happened, with everything that a consumer needs to know about it.
///
/// What stands twice on the wire (the task in `subject`, `partitionkey` and payload) stands once here.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Where it comes from.
    pub context: Context,
    /// The service that published it first: `/services/<app id>`. Together with the id it is the identity.
    pub source: String,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub body: Body,
}

/// Where an event comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The identity of the event.
    pub id: EventId,
    /// What ties together everything that one request caused.
    pub correlation_id: CorrelationId,
    /// The trace in which it was written.
    pub traceparent: Option<Traceparent>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A task was created, updated, completed or deleted.
    Task(Box<TaskChanged>),
    /// A reminder fell due and was claimed for delivery.
    ReminderDue(ReminderDue),
}

/// A change of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskChanged {
    /// What happened to it.
    pub kind: ChangeKind,
    /// The user's counter of changes.
    pub user_sequence: Counter,
    /// The task after the change.
    pub snapshot: TaskSnapshot,
}

/// A reminder that fell due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReminderDue {
    /// The task.
    pub task_id: TaskId,
    /// Whose task it is.
    pub user_id: UserId,
    /// The version of the task that asked for this reminder.
    pub version: Counter,
    /// The title of the task, as the domain checked it.
    pub title: String,
    /// When the task is due, if it is.
    pub due_at: Option<Timestamp>,
    /// When the reminder was meant to be seen.
    pub remind_at: Timestamp,
}

impl Event {
    /// The event that tells of a change of a task whose user lives in `user_zone`. It happened when the task says it last
    /// changed.
    ///
    /// Fails for a version of the task that is no [`Counter`].
    pub fn task_changed(
        change: &Change,
        user_zone: &Zone,
        user_sequence: Counter,
        context: Context,
    ) -> Result<Self, InvalidAttribute> {
        let changed = TaskChanged {
            kind: change.kind,
            user_sequence,
            snapshot: TaskSnapshot::new(&change.task, user_zone)?,
        };
        Ok(Self::new(
            Body::Task(Box::new(changed)),
            change.task.updated_at,
            context,
        ))
    }

    /// The event that tells of a reminder that was claimed at `time`.
    #[must_use]
    pub fn reminder_due(reminder: ReminderDue, time: Timestamp, context: Context) -> Self {
        Self::new(Body::ReminderDue(reminder), time, context)
    }

    fn new(body: Body, time: Timestamp, context: Context) -> Self {
        let source = format!("/services/{}", body.event_type().publisher);
        Self {
            context,
            source,
            time,
            body,
        }
    }

    /// Its type, which knows its topic.
    #[must_use]
    pub const fn event_type(&self) -> &'static EventType {
        self.body.event_type()
    }

    /// The key of the record: the number of the task in decimal digits.
    #[must_use]
    pub fn key(&self) -> String {
        self.task_id().to_string()
    }

    /// The task it is about.
    #[must_use]
    pub const fn task_id(&self) -> TaskId {
        match &self.body {
            Body::Task(it) => it.snapshot.id,
            Body::ReminderDue(it) => it.task_id,
        }
    }

    /// Whose task it is about.
    #[must_use]
    pub const fn user_id(&self) -> &UserId {
        match &self.body {
            Body::Task(it) => &it.snapshot.user_id,
            Body::ReminderDue(it) => &it.user_id,
        }
    }

    /// The version of the task, by which the events of one task are ordered.
    #[must_use]
    pub const fn sequence(&self) -> Counter {
        match &self.body {
            Body::Task(it) => it.snapshot.version,
            Body::ReminderDue(it) => it.version,
        }
    }

    /// The event as the value of a record: `CloudEvents` in structured mode, `application/cloudevents+json`.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let json = match &self.body {
            Body::Task(it) => serde_json::to_vec(&self.envelope(Some(it.user_sequence), self.task_payload(it))),
            Body::ReminderDue(it) => serde_json::to_vec(&self.envelope(None, self.reminder_payload(it))),
        };
        json.expect("texts, numbers and lists can be written as JSON")
    }

    fn envelope<D>(&self, user_sequence: Option<Counter>, data: D) -> Envelope<'_, D> {
        let event_type = self.event_type();
        Envelope {
            specversion: SPEC_VERSION,
            id: self.context.id,
            source: &self.source,
            r#type: event_type.name,
            subject: self.key(),
            time: self.time,
            datacontenttype: "application/json",
            dataschema: Contract::of(event_type).uri(),
            partitionkey: self.key(),
            sequence: self.sequence().padded(),
            userseq: user_sequence.map(Counter::padded),
            traceparent: self.context.traceparent.as_ref(),
            data,
        }
    }

    fn task_payload<'a>(&'a self, changed: &'a TaskChanged) -> TaskPayload<'a> {
        TaskPayload {
            schema_version: Contract::of(self.event_type()).version(),
            event_type: self.event_type().event_type.into(),
            task_id: self.task_id(),
            user_id: self.user_id().clone(),
            timestamp: self.time,
            correlation_id: Cow::Borrowed(&self.context.correlation_id),
            task_snapshot: Cow::Borrowed(&changed.snapshot),
        }
    }

    fn reminder_payload<'a>(&'a self, due: &'a ReminderDue) -> ReminderPayload<'a> {
        ReminderPayload {
            schema_version: Contract::of(self.event_type()).version(),
            event_type: self.event_type().event_type.into(),
            task_id: self.task_id(),
            user_id: self.user_id().clone(),
            timestamp: self.time,
            correlation_id: Cow::Borrowed(&self.context.correlation_id),
            title: Cow::Borrowed(&due.title),
            due_at: due.due_at,
            remind_at: due.remind_at,
        }
    }
}

impl Body {
    const fn event_type(&self) -> &'static EventType {
        match self {
            Self::Task(changed) => type_of(changed.kind),
            Self::ReminderDue(_) => &event_types::REMINDER_DUE,
        }
    }
}

/// The type of event that tells of this kind of change.
pub(crate) const fn type_of(kind: ChangeKind) -> &'static EventType {
    match kind {
        ChangeKind::Created => &event_types::TASK_CREATED,
        ChangeKind::Updated => &event_types::TASK_UPDATED,
        ChangeKind::Completed => &event_types::TASK_COMPLETED,
        ChangeKind::Deleted => &event_types::TASK_DELETED,
    }
}
