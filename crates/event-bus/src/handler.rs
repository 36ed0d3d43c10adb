//! The contract between a transport and what a service does with an event.

use std::error::Error;

use bytes::Bytes;
use events::{Event, ParseError};

/// What a service does with the events that it consumes. One value serves all partitions at once.
pub trait Handler: Send + Sync + 'static {
    /// Handles one delivery. The same event may come again, also while an earlier attempt of another replica has not
    /// ended: every effect is idempotent by event id, see [`inbox`](crate::inbox). The future may be dropped at any
    /// await, when its time is over or when another replica takes over; an open transaction is then rolled back.
    fn handle(&self, delivery: &Delivery) -> impl Future<Output = Outcome> + Send;

    /// Whether what the handler itself depends on (its database) can be reached. Asked after a failure: while it is
    /// not, the delivery is held, no attempt is counted, and nothing becomes a dead letter.
    fn available(&self) -> impl Future<Output = bool> + Send;
}

/// An event that arrived.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Topic, a name of the catalogue.
    pub topic: &'static str,
    /// The event.
    pub event: Event,
    /// The envelope as it arrived.
    pub value: Bytes,
}

/// What became of one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The event is applied.
    Done {
        /// Whether it was applied before, and this delivery changed nothing.
        duplicate: bool,
    },
    /// Not now: try again, a limited number of times.
    Retry(Cause),
    /// Never: trying again cannot help.
    DeadLetter(Cause),
}

/// Why an event was not applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind of failure it was.
    pub reason: Reason,
    /// What happened, for the person who looks into it. Stands in the dead letter beside the event, so it may quote it;
    /// it is not logged.
    pub detail: String,
}

/// The kinds of failure: closed, so that dead letters can be grouped and counted by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The record is no event that this release can read: one of [`ParseError::REASONS`].
    Unreadable(&'static str),
    /// The event can be read, and contradicts what must be true.
    Rejected,
    /// The attempt failed.
    Failed,
    /// The attempt took too long.
    TimedOut,
    /// The attempt panicked: a bug.
    Panicked,
    /// Something that the handler needs is away. It is not the event's fault: the delivery is held, no attempt is
    /// counted.
    Unavailable,
}

impl Cause {
    /// The event contradicts what must be true.
    #[must_use]
    pub fn rejected(detail: impl Into<String>) -> Self {
        Self::new(Reason::Rejected, detail)
    }

    /// The attempt failed by this error.
    #[must_use]
    pub fn failed(error: &dyn Error) -> Self {
        Self::new(Reason::Failed, chain(error))
    }

    /// Something that the handler needs is away, as this error tells.
    #[must_use]
    pub fn unavailable(error: &dyn Error) -> Self {
        Self::new(Reason::Unavailable, chain(error))
    }

    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

impl From<&ParseError> for Cause {
    fn from(error: &ParseError) -> Self {
        let place = error.misfit().map(|misfit| format!(": {}", misfit.message));
        Self::new(
            Reason::Unreadable(error.reason()),
            format!("{error}{}", place.unwrap_or_default()),
        )
    }
}

impl Reason {
    /// The name in dead letters, logs and groups.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable(reason) => reason,
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Unavailable => "unavailable",
        }
    }
}

/// An error with everything behind it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
