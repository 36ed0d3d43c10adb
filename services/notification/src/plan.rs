//! What a change of a task means for its reminders. Pure: what is wanted now, compared with what is there.
//!
//! Each reminder of a task is known by its [`Spec`] and comes in generations; only the latest one matters here. A
//! generation that is open and no longer wanted is superseded; what is wanted and not there begins the next one. Applied
//! twice, the second time changes nothing.

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use std::fmt;

use domain::{
    task::{Task, choices::Status, reminders::Reminder, transition::ChangeKind},
    time::Zone,
};
use jiff::{SignedDuration, Timestamp};

/// How long before the change a reminder may lie and still be sent: clients choose by the minute, and round down.
pub const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Which reminder of its task it is: two of one task differ in it, and it stays when the task is due at another time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spec(String);

impl Spec {
    /// The place that this reminder has.
    #[must_use]
    pub fn of(reminder: &Reminder) -> Self {
        Self(match reminder {
            Reminder::At(instant) => format!("at {instant}"),
            Reminder::BeforeDue(lead) => format!("{} s before due", lead.as_secs()),
        })
    }

    /// As a row has it.
    #[must_use]
    pub fn from_row(text: String) -> Self {
        Self(text)
    }

    /// The text that a row has.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a reminder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for its time.
    Planned,
    /// Its time has come, and it was claimed.
    Due,
    /// A provider was called.
    Attempted,
    /// It was seen.
    Delivered,
    /// It was not seen, and will not be.
    Expired,
    /// It is no longer wanted.
    Superseded,
}

impl State {
    /// Every state, in the order in which they come.
    pub const ALL: [Self; 6] = [
        Self::Planned,
        Self::Due,
        Self::Attempted,
        Self::Delivered,
        Self::Expired,
        Self::Superseded,
    ];

    /// The word for it, in rows, answers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Due => "due",
            Self::Attempted => "attempted",
            Self::Delivered => "delivered",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// The state with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether more can come.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Planned | Self::Due | Self::Attempted)
    }
}

/// Why a reminder ended without being seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The task asks for attention at another time.
    Rescheduled,
    /// The task no longer has this reminder.
    Removed,
    /// The task was completed.
    Completed,
    /// The task was deleted.
    Deleted,
    /// The person wants to see it later.
    Snoozed,
    /// Its time was past already when it was chosen.
    Past,
    /// It was found too late to be of use to anybody.
    TooLate,
    /// No channel took it.
    Undeliverable,
}

impl Ending {
    /// The word for it, in rows and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rescheduled => "rescheduled",
            Self::Removed => "removed",
            Self::Completed => "completed",
            Self::Deleted => "deleted",
            Self::Snoozed => "snoozed",
            Self::Past => "past",
            Self::TooLate => "too_late",
            Self::Undeliverable => "undeliverable",
        }
    }
}

/// What a change of a task asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The reminders that the task has now; none while it is completed or deleted.
    pub reminders: Vec<(Spec, Timestamp)>,
    /// Why those that it has no longer end.
    pub ending: Ending,
    /// When the change was made: what lies before it was past when it was chosen.
    pub changed_at: Timestamp,
}

impl Wish {
    /// What this change of a task asks for, for a person who lives in `user_zone`.
    #[must_use]
    pub fn of(kind: ChangeKind, task: &Task, user_zone: &Zone) -> Self {
        let ending = match (kind, task.status) {
            (ChangeKind::Deleted, _) => Ending::Deleted,
            (_, Status::Completed) => Ending::Completed,
            (_, Status::Open) => Ending::Removed,
        };
        let at = |it: &Reminder| Some((Spec::of(it), it.at(task.due.as_ref(), user_zone)?));
        let reminders = match ending {
            Ending::Removed => task.reminders.as_slice().iter().filter_map(at).collect(),
            _ => Vec::new(),
        };
        Self {
            reminders,
            ending,
            changed_at: task.updated_at,
        }
    }
}

/// The latest generation of a reminder that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<I> {
    /// Which reminder it is.
    pub id: I,
    /// Its latest generation.
    pub generation: i32,
    /// Which reminder of its task it is.
    pub spec: Spec,
    /// When the task asked for attention.
    pub asked_at: Timestamp,
    /// Where it stands.
    pub state: State,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<I> {
    /// An open generation ends.
    Supersede {
        /// The reminder.
        id: I,
        /// Its open generation.
        generation: i32,
        /// Why.
        ending: Ending,
    },
    /// A generation begins.
    Begin {
        /// The reminder; `None` for one that is new.
        id: Option<I>,
        /// Its new generation.
        generation: i32,
        /// Which reminder of its task it is.
        spec: Spec,
        /// When the task asks for attention.
        at: Timestamp,
        /// Whether its time was past already when it was chosen: then it expires at once, for the ledger.
        is_past: bool,
    },
}

/// What to do so that the reminders are as the task wants them. `known` holds the latest generation of each.
#[must_use]
pub fn plan<I: Clone>(wish: &Wish, known: &[Known<I>]) -> Vec<Step<I>> {
    let mut steps = Vec::new();
    for it in known {
        let wanted = wish.reminders.iter().find(|(spec, _)| *spec == it.spec);
        let ending = match wanted {
            // Also one that was seen, or snoozed: nobody is told twice of the same moment.
            Some((_, at)) if *at == it.asked_at && it.state != State::Superseded => continue,
            Some(_) => Ending::Rescheduled,
            None => wish.ending,
        };
        if it.state.is_open() {
            steps.push(Step::Supersede {
                id: it.id.clone(),
                generation: it.generation,
                ending,
            });
        }
        steps.extend(wanted.map(|(spec, at)| begin(wish, Some(it), spec, *at)));
    }
    let is_new = |spec: &Spec| known.iter().all(|it| it.spec != *spec);
    let new = wish.reminders.iter().filter(|(spec, _)| is_new(spec));
    steps.extend(new.map(|(spec, at)| begin(wish, None, spec, *at)));
    steps
}

fn begin<I: Clone>(wish: &Wish, before: Option<&Known<I>>, spec: &Spec, at: Timestamp) -> Step<I> {
    Step::Begin {
        id: before.map(|it| it.id.clone()),
        generation: before.map_or(1, |it| it.generation.saturating_add(1)),
        spec: spec.clone(),
        at,
        is_past: wish.changed_at.duration_since(at) > GRACE,
    }
}
