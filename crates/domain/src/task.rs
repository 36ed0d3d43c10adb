//! The task, and what can happen to it.

pub mod choices;
pub mod draft;
pub mod problem;
pub mod reminders;
pub mod tags;
#[cfg(test)]
mod tests;
pub mod text;
pub mod transition;

use jiff::Timestamp;

use crate::id::{SeriesId, TaskId, UserId};
use crate::recurrence::Recurrence;
use crate::recurrence::next::Occurrence;
use crate::time::{Due, Zone};
use choices::{Priority, Status};
use reminders::Reminders;
use tags::Tags;
use text::{Description, Title};

/// A task of one user.
///
/// Instants in it have the resolution of the database, one microsecond.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Which task it is.
    pub id: TaskId,
    /// Whose it is; never changes.
    pub user: UserId,
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Description,
    /// Whether it is still to be done.
    pub status: Status,
    /// How much it matters.
    pub priority: Priority,
    /// What it is filed under.
    pub tags: Tags,
    /// When it is due; there whenever it recurs or has relative reminders.
    pub due: Option<Due>,
    /// When it asks for attention.
    pub reminders: Reminders,
    /// Which instance of which series it is; stays when the recurrence is taken off.
    pub series: Option<SeriesMembership>,
    /// How the series goes on; completing the task calls for the next instance.
    pub recurrence: Option<Recurrence>,
    /// 1 on creation, one more with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed; never before an earlier change, even when the clock was put back.
    pub updated_at: Timestamp,
    /// When it was completed; there exactly while it is completed.
    pub completed_at: Option<Timestamp>,
}

/// The place of a task in its series. No two tasks have the same series and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesMembership {
    /// The series.
    pub series: SeriesId,
    /// The wall time that the rule meant for this instance, and its number; stays when the instance is moved.
    pub occurrence: Occurrence,
}

impl Task {
    /// The version of a new task.
    pub const FIRST_VERSION: i64 = 1;

    /// Whether nothing changed since it was created: then undoing the completion before it may delete it.
    pub fn is_untouched(&self) -> bool {
        self.version == Self::FIRST_VERSION
    }

    /// When its reminders go off for a user who lives in `user_zone`, in the order of the reminders.
    pub fn reminder_times(&self, user_zone: &Zone) -> Vec<Timestamp> {
        let reminders = self.reminders.as_slice().iter();
        reminders
            .filter_map(|reminder| reminder.at(self.due.as_ref(), user_zone))
            .collect()
    }
}
