//! What service and clients say to each other: JSON objects with a `type`. The schema of both directions is
//! `contracts/live/messages.json`.

mod note;
#[cfg(test)]
mod schema;

use std::borrow::Cow;

use events::{Counter, Event, ReminderDue, TaskChanged, TaskSnapshot};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::close::Farewell;

pub(crate) use note::Note;

/// The subprotocol, and the version of everything here: what breaks clients gets another name.
pub(crate) const PROTOCOL: &str = "taskflow.live.v1";
/// What stands before a token among the subprotocols that a client offers.
pub(crate) const TOKEN_PROTOCOL: &str = "taskflow.token.";
/// What stands before a position among the subprotocols that a client offers.
pub(crate) const RESUME_PROTOCOL: &str = "taskflow.resume.";
/// A description of more bytes is left out: a live update is not the way to fetch a large text, and every connection
/// would keep a buffer of that size.
const LONGEST_DESCRIPTION: usize = 4096;

/// What the service says.
#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerMessage<'a> {
    /// The first message: the client is let in. Unless `resumed`, load everything from now on, not before.
    Welcome {
        /// The position that the client is at once it has loaded everything, or has been told what it missed. Absent when
        /// the replica does not know it: then the first change tells it.
        #[serde(skip_serializing_if = "Option::is_none")]
        sequence: Option<u64>,
        /// Whether everything that the client has missed follows.
        resumed: bool,
        /// Seconds between two heartbeats; when nothing came for twice as long, the connection is dead.
        heartbeat_seconds: u64,
        /// When the token ends, and the connection with it, unless another one is shown before.
        #[schemars(with = "String")]
        valid_until: Timestamp,
    },
    /// A task was changed.
    Change(Box<TaskChange<'a>>),
    /// A reminder fell due.
    Reminder(Reminder<'a>),
    /// Changes are missing: load everything again, from now on.
    Refetch {
        /// Why.
        reason: RefetchReason,
        /// As in `welcome`.
        #[serde(skip_serializing_if = "Option::is_none")]
        sequence: Option<u64>,
    },
    /// The connection lives.
    Heartbeat {
        /// The position of the latest change that this client was sent, if there was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        sequence: Option<u64>,
    },
    /// The new token was accepted.
    Renewed {
        /// When it ends.
        #[schemars(with = "String")]
        valid_until: Timestamp,
    },
    /// Over server-sent events, the last message: what the close code is over a websocket.
    Closing {
        /// The code that a websocket would be closed with.
        code: u16,
        /// Its name.
        reason: Farewell,
    },
}

/// A task was changed.
#[derive(Serialize, JsonSchema)]
pub(crate) struct TaskChange<'a> {
    /// The person's counter: one more with every change. The position to resume from.
    sequence: u64,
    /// The identity of the event.
    id: String,
    /// What happened: `created`, `updated`, `completed` or `deleted`.
    change: &'static str,
    /// Which task.
    task_id: i64,
    /// The version of the task. Apply the change only when it is greater than that of the task that you have.
    version: u64,
    /// When it happened.
    #[schemars(with = "String")]
    time: Timestamp,
    /// What ties it to the request that caused it: the header `X-Correlation-Id` of the answer.
    correlation_id: &'a str,
    /// Whether the description is too long to be told: then it is empty here, and `GET /tasks/{id}` has it.
    #[serde(skip_serializing_if = "is_false")]
    description_omitted: bool,
    /// The task after the change; after a deletion, as it last was.
    task: Cow<'a, TaskSnapshot>,
}

/// A reminder fell due.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reminder<'a> {
    /// The identity of the event: the same one may be told twice.
    id: String,
    /// Which task it reminds of.
    task_id: i64,
    /// Its title.
    title: &'a str,
    /// When the task is due, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    due_at: Option<Timestamp>,
    /// When it was meant to be seen.
    #[schemars(with = "String")]
    remind_at: Timestamp,
    /// When it was claimed for delivery.
    #[schemars(with = "String")]
    time: Timestamp,
}

/// Why a client has to load everything again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefetchReason {
    /// A change did not arrive within a second of a later one.
    Gap,
    /// The replica does not remember what came after the position.
    TooOld,
}

impl RefetchReason {
    /// The label `reason` of `websocket_refetches_total`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::TooOld => "too_old",
        }
    }
}

/// What a client says over a websocket. What else stands in a message is ignored.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ClientMessage {
    /// The first message, unless a token stood among the subprotocols.
    Hello {
        /// The person's access token.
        token: String,
        /// The position of the last change that the client has, if it was connected before.
        #[serde(default)]
        resume: Option<u64>,
    },
    /// Goes on with a new token of the same person.
    Token {
        /// The person's access token.
        token: String,
    },
}

impl ServerMessage<'_> {
    /// The message as it goes to clients.
    pub(crate) fn to_note(&self) -> Note {
        let json = serde_json::to_string(self).expect("texts and numbers can be written as JSON");
        let (sequence, happened) = match self {
            Self::Change(change) => (Some(change.sequence), Some(change.time)),
            Self::Reminder(reminder) => (None, Some(reminder.time)),
            Self::Welcome { .. }
            | Self::Refetch { .. }
            | Self::Heartbeat { .. }
            | Self::Renewed { .. }
            | Self::Closing { .. } => (None, None),
        };
        Note {
            name: self.name(),
            text: json.into(),
            sequence,
            happened,
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::Change(_) => "change",
            Self::Reminder(_) => "reminder",
            Self::Refetch { .. } => "refetch",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Renewed { .. } => "renewed",
            Self::Closing { .. } => "closing",
        }
    }
}

impl<'a> TaskChange<'a> {
    /// What clients hear of the event.
    pub(crate) fn of(event: &'a Event, changed: &'a TaskChanged) -> Self {
        let description_omitted = changed.snapshot.description.len() > LONGEST_DESCRIPTION;
        let task = if description_omitted {
            let mut short = changed.snapshot.clone();
            short.description.clear();
            Cow::Owned(short)
        } else {
            Cow::Borrowed(&changed.snapshot)
        };
        Self {
            sequence: number(changed.user_sequence),
            id: event.context.id.get().to_string(),
            change: changed.kind.as_str(),
            task_id: event.task_id().get(),
            version: number(event.sequence()),
            time: event.time,
            correlation_id: event.context.correlation_id.as_str(),
            description_omitted,
            task,
        }
    }
}

impl<'a> Reminder<'a> {
    /// What clients hear of the event.
    pub(crate) fn of(event: &Event, due: &'a ReminderDue) -> Self {
        Self {
            id: event.context.id.get().to_string(),
            task_id: due.task_id.get(),
            title: &due.title,
            due_at: due.due_at,
            remind_at: due.remind_at,
            time: event.time,
        }
    }
}

/// A counter as a number; it is never negative.
pub(crate) fn number(counter: Counter) -> u64 {
    counter.get().unsigned_abs()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_false(value: &bool) -> bool {
    !*value
}
