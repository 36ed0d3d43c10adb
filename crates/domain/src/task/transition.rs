//! What can happen to a task: pure functions from the task, the wish and *now* to the task after it.
//!
//! A transition that changes nothing answers `None`: no new version, no event.

use jiff::Timestamp;

use super::choices::Status;
use super::draft::{TaskDraft, TaskPatch};
use super::problem::{Field, FieldProblem, ProblemCode, Problems};
use super::reminders::Reminder;
use super::{SeriesMembership, Task};
use crate::id::{SeriesId, TaskId, UserId};
use crate::recurrence::next::{Next, Occurrence};
use crate::recurrence::{OccurrenceKey, Recurrence, Terms};
use crate::time::Zone;

/// A change that happened: the task after it, and the event that tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What others are told.
    pub kind: ChangeKind,
    /// The task after the change; after a deletion, as it last was, one version later.
    pub task: Task,
}

/// What others are told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// A task is there that was not.
    Created,
    /// Something about it is different; also after reopening and snoozing.
    Updated,
    /// It was done.
    Completed,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Completed, Self::Deleted];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Completed => "completed",
            Self::Deleted => "deleted",
        }
    }
}

/// Why a task cannot be snoozed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnoozeError {
    /// There is nothing to put off.
    #[error("a completed task cannot be snoozed")]
    Completed,
    /// There is no due time to move.
    #[error("a task without a due time cannot be snoozed")]
    WithoutDue,
    /// The new due time has passed already.
    #[error("a task can only be snoozed until a later time than now")]
    Past,
}

/// Why a task has no such next instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OccurrenceError {
    /// It does not recur, or not any more.
    #[error("the task does not recur")]
    NotRecurring,
    /// It is open: its series goes on when it is completed.
    #[error("the task is not completed")]
    NotCompleted,
    /// It was reopened and completed again since: its next instance follows from the later completion.
    #[error("the task was completed anew")]
    OtherCompletion,
    /// It left that series for another.
    #[error("the task belongs to another series")]
    OtherSeries,
    /// The occurrence is the task's own, or before it.
    #[error("the occurrence does not come after that of the task")]
    NotLater,
}

impl Task {
    /// A new task. One that recurs begins the series `new_series` at its due time.
    pub fn create(
        id: TaskId,
        user: UserId,
        draft: TaskDraft,
        new_series: SeriesId,
        now: Timestamp,
    ) -> Result<Change, Problems> {
        let now = database_resolution(now);
        let mut task = Self {
            id,
            user,
            title: draft.title,
            description: draft.description,
            status: Status::Open,
            priority: draft.priority,
            tags: draft.tags,
            due: draft.due,
            reminders: draft.reminders,
            series: None,
            recurrence: draft.recurrence,
            version: Self::FIRST_VERSION,
            created_at: now,
            updated_at: now,
            completed_at: None,
        };
        task.check()?;
        task.series = task.membership_at_due(new_series);
        let kind = ChangeKind::Created;
        Ok(Change { kind, task })
    }

    /// The task as the patch wants it. A recurrence with other dates than before begins the series `new_series`.
    pub fn update(&self, patch: TaskPatch, new_series: SeriesId, now: Timestamp) -> Result<Option<Change>, Problems> {
        let mut task = self.clone();
        task.title = patch.title.unwrap_or(task.title);
        task.description = patch.description.unwrap_or(task.description);
        task.priority = patch.priority.unwrap_or(task.priority);
        task.tags = patch.tags.unwrap_or(task.tags);
        task.due = patch.due.apply(task.due);
        task.reminders = patch.reminders.unwrap_or(task.reminders);
        task.recurrence = patch.recurrence.apply(task.recurrence);
        task.check()?;
        task.settle_recurrence(self);
        if task.recurrence != self.recurrence && self.status == Status::Completed {
            let message = "cannot change while the task is completed: its series has gone on";
            return Err(FieldProblem::new(Field::Recurrence, ProblemCode::TaskCompleted, message).into());
        }
        if dates(task.recurrence.as_ref()) != dates(self.recurrence.as_ref()) {
            task.series = task.membership_at_due(new_series).or(task.series);
        }
        Ok((task != *self).then(|| task.changed(ChangeKind::Updated, now)))
    }

    /// The task as done; `None` when it was already.
    pub fn complete(&self, now: Timestamp) -> Option<Change> {
        (self.status == Status::Open).then(|| {
            let mut change = self.clone().changed(ChangeKind::Completed, now);
            change.task.status = Status::Completed;
            change.task.completed_at = Some(change.task.updated_at);
            change
        })
    }

    /// The task as to be done again; `None` when it is open.
    ///
    /// Its next instance, if it [is untouched](Task::is_untouched), has to go with it.
    pub fn reopen(&self, now: Timestamp) -> Option<Change> {
        (self.status == Status::Completed).then(|| {
            let mut change = self.clone().changed(ChangeKind::Updated, now);
            change.task.status = Status::Open;
            change.task.completed_at = None;
            change
        })
    }

    /// The task with its due time moved to `until`, in the same kind and zone; `None` when it is due then already.
    ///
    /// The series stays where it is: only this instance moves. Fractions of a second are dropped.
    pub fn snooze(&self, until: Timestamp, user_zone: &Zone, now: Timestamp) -> Result<Option<Change>, SnoozeError> {
        let due = self.due.as_ref().ok_or(SnoozeError::WithoutDue)?;
        if self.status == Status::Completed {
            return Err(SnoozeError::Completed);
        }
        let moved = due.with_local(due.zone(user_zone).local(until));
        // The wall time decides: in the hour that comes twice in autumn, `until` may mean its second pass.
        if moved.at(user_zone) <= now {
            return Err(SnoozeError::Past);
        }
        if moved == *due {
            return Ok(None);
        }
        let mut task = self.clone();
        task.due = Some(moved);
        Ok(Some(task.changed(ChangeKind::Updated, now)))
    }

    /// The end of the task.
    #[must_use]
    pub fn delete(&self, now: Timestamp) -> Change {
        self.clone().changed(ChangeKind::Deleted, now)
    }

    /// What follows this task in its series, as far as its completion decides that; `None` for one that is open or does
    /// not come back.
    pub fn next(&self, user_zone: &Zone) -> Option<Next> {
        let (series, recurrence, due) = (self.series?, self.recurrence.as_ref()?, self.due.as_ref()?);
        let completed_at = due.zone(user_zone).local(self.completed_at?);
        Some(recurrence.next(series.occurrence, completed_at))
    }

    /// The next instance of the series of this task, which follows from its completion at `completed_at`: due at the
    /// wall time of its occurrence, in the same kind of time. What goes with the due time is carried over; reminders at
    /// an instant are not.
    pub fn occurrence(
        &self,
        id: TaskId,
        next: SeriesMembership,
        completed_at: Timestamp,
        now: Timestamp,
    ) -> Result<Change, OccurrenceError> {
        let (Some(series), Some(due), Some(_)) = (self.series, &self.due, &self.recurrence) else {
            return Err(OccurrenceError::NotRecurring);
        };
        if self.status == Status::Open {
            return Err(OccurrenceError::NotCompleted);
        }
        if self.completed_at != Some(completed_at) {
            return Err(OccurrenceError::OtherCompletion);
        }
        if next.series != series.series {
            return Err(OccurrenceError::OtherSeries);
        }
        if next.occurrence.key <= series.occurrence.key {
            return Err(OccurrenceError::NotLater);
        }
        let now = database_resolution(now);
        let task = Self {
            id,
            status: Status::Open,
            due: Some(due.with_local(next.occurrence.key.get())),
            reminders: self.reminders.relative(),
            series: Some(next),
            version: Self::FIRST_VERSION,
            created_at: now,
            updated_at: now,
            completed_at: None,
            ..self.clone()
        };
        let kind = ChangeKind::Created;
        Ok(Change { kind, task })
    }

    /// Brings the due time into its range and form, and checks what depends on it.
    fn check(&mut self) -> Result<(), Problems> {
        let mut problems = Problems::default();
        let mut require_due = |field, message| {
            problems.push(FieldProblem::new(field, ProblemCode::RequiresDue, message));
        };
        if let Some(due) = self.due.take() {
            self.due = problems.check(due.checked());
            return problems.into_result();
        }
        if self.reminders.as_slice().iter().any(Reminder::is_relative) {
            require_due(Field::Reminders, "with a time before the due time need a due time");
        }
        if self.recurrence.is_some() {
            require_due(Field::Recurrence, "needs a due time to begin at");
        }
        problems.into_result()
    }

    /// A rule that was sent again is no new one: it keeps its anchor, even where this instance was moved away from it.
    fn settle_recurrence(&mut self, before: &Self) {
        let (Some(new), Some(current)) = (&self.recurrence, &before.recurrence) else {
            return;
        };
        let anchor = current.terms().anchor;
        let settled = Recurrence::new(Terms {
            anchor,
            ..new.terms().clone()
        });
        if let Ok(settled) = settled
            && self.due == before.due
            && dates(Some(&settled)) == dates(Some(current))
        {
            self.recurrence = Some(settled);
        }
    }

    fn membership_at_due(&self, series: SeriesId) -> Option<SeriesMembership> {
        let (Some(due), Some(_)) = (&self.due, &self.recurrence) else {
            return None;
        };
        let key = OccurrenceKey::new(due.local());
        let occurrence = Occurrence { key, ordinal: 1 };
        Some(SeriesMembership { series, occurrence })
    }

    fn changed(mut self, kind: ChangeKind, now: Timestamp) -> Change {
        self.version += 1;
        self.updated_at = database_resolution(now).max(self.updated_at);
        Change { kind, task: self }
    }
}

/// The terms that decide on the dates of a series; with others it is another one.
fn dates(recurrence: Option<&Recurrence>) -> Option<impl PartialEq + use<'_>> {
    recurrence.map(|recurrence| {
        let terms = recurrence.terms();
        (&terms.rule, terms.anchor, terms.month_end)
    })
}

/// Cut to microseconds, so that an answer given now equals the one read back later.
fn database_resolution(instant: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(instant.as_microsecond()).unwrap_or(instant)
}
