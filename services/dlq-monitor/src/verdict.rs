//! What becomes of a letter that somebody wants to replay: a decision, without I/O.

use catalogue::{app_ids, topics};
use events::{Body, Event};
use uuid::Uuid;

/// Consumers that need every event, however late: the record of all events, and the one that makes a successor for each
/// completed task. What they do hangs on the event, not on the newest version; and each of them knows what it has applied.
/// A letter of theirs is never overtaken.
const NEED_EVERY_EVENT: &[&str] = &[app_ids::AUDIT, app_ids::RECURRING_TASKS];

/// Times that one event may be replayed for one consumer, whoever insists.
pub const MOST_REPLAYS: i64 = 5;

/// What is known of a letter.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// Topic that it was given up in.
    pub origin: &'a str,
    /// Who gave it up, where somebody said so.
    pub consumer: Option<&'a str>,
    /// Its value.
    pub value: Option<&'a [u8]>,
    /// Newest version of its task that was seen in the topic.
    pub newest: Option<i64>,
    /// Newer versions of its task that this consumer has given up too, and that wait.
    pub newer_waiting: i64,
    /// Replays of its event for this consumer so far.
    pub replays: i64,
    /// The first letter of its key and consumer that waits before it.
    pub before: Option<Uuid>,
    /// Whether somebody insists, although it came back before.
    pub again: bool,
}

/// What becomes of a letter.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It goes back.
    Replay {
        /// The event as the present release reads it.
        event: Box<Event>,
        /// Whether it is of an older version, and is written anew.
        upcast: bool,
    },
    /// A newer version of its task was applied: it would change nothing, and is settled.
    Superseded {
        /// That version.
        newest: i64,
    },
    /// The present release cannot read it: it waits for one that can, or for somebody to discard it.
    Schema(String),
    /// It came back after an earlier replay: the cause is not mended.
    Loop {
        /// Replays so far.
        replays: i64,
    },
    /// An earlier letter of its key waits.
    Behind(Uuid),
}

/// Says what becomes of a letter.
#[must_use]
pub fn judge(known: &Known<'_>) -> Verdict {
    let Some(value) = known.value else {
        return Verdict::Schema("the record has no value".to_owned());
    };
    let event = match Event::parse(value) {
        Ok(event) => event,
        Err(error) => {
            let place = error.misfit().map(|it| format!(": {}", it.message));
            return Verdict::Schema(format!("{}: {error}{}", error.reason(), place.unwrap_or_default()));
        }
    };
    if event.event_type().topic != known.origin {
        return Verdict::Schema(format!("an event of this type does not belong into {}", known.origin));
    }
    if let Some(newest) = overtaken(known, &event) {
        return Verdict::Superseded { newest };
    }
    if known.replays >= MOST_REPLAYS || (known.replays > 0 && !known.again) {
        return Verdict::Loop { replays: known.replays };
    }
    if let Some(before) = known.before {
        return Verdict::Behind(before);
    }
    let upcast = type_of(value).as_deref() != Some(event.event_type().name);
    Verdict::Replay {
        event: Box::new(event),
        upcast,
    }
}

/// The newest version, when the consumer has applied one that is newer than this event.
///
/// Versions of a task have no gap, and a consumer takes them in order: each newer one in the topic is applied, or is a
/// dead letter of its own. Of a due reminder the version says nothing: it stays due when its task gets another title.
fn overtaken(known: &Known<'_>, event: &Event) -> Option<i64> {
    let consumer = known.consumer?;
    if NEED_EVERY_EVENT.contains(&consumer) || !matches!(event.body, Body::Task(_)) {
        return None;
    }
    debug_assert_eq!(event.event_type().topic, topics::TASK_EVENTS);
    let newer = known.newest? - event.sequence().get();
    known.newest.filter(|_| newer > known.newer_waiting)
}

fn type_of(value: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Head {
        r#type: String,
    }
    serde_json::from_slice::<Head>(value).ok().map(|head| head.r#type)
}

impl Verdict {
    /// Its name, as the record of actions has it.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Replay { .. } => "replayed",
            Self::Superseded { .. } => "superseded",
            Self::Schema(_) => "schema",
            Self::Loop { .. } => "loop",
            Self::Behind(_) => "behind",
        }
    }

    /// What an operator should know beside the name.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Replay { upcast: false, .. } => None,
            Self::Replay { event, upcast: true } => Some(format!("lifted to {}", event.event_type().name)),
            Self::Superseded { newest } => Some(format!("version {newest} of the task was applied")),
            Self::Schema(detail) => Some(detail.clone()),
            Self::Loop { replays } if *replays >= MOST_REPLAYS => {
                Some(format!("came back after {replays} replays; no more are made"))
            }
            Self::Loop { replays } => Some(format!("came back after {replays} replays; `again` insists")),
            Self::Behind(letter) => Some(format!("{letter} of the same key waits before it")),
        }
    }
}

#[cfg(test)]
mod tests;
