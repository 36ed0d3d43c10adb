//! What follows a completed task. Pure: the answer depends on the event alone, however late or often it is looked at.

use domain::{
    id::{SeriesId, TaskId},
    recurrence::next::Next,
    task::transition::ChangeKind,
    time::{Due, Zone},
};
use event_bus::Cause;
use events::TaskChanged;
use jiff::Timestamp;

/// A recurring task that was completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    /// The task.
    pub(crate) task: TaskId,
    /// Its series.
    pub(crate) series: SeriesId,
    /// When it was completed.
    pub(crate) completed_at: Timestamp,
    /// What follows it there.
    pub(crate) next: Next,
}

/// The completion that the change tells of; `None` when no task was completed, or one that does not recur.
///
/// # Errors
/// When the task is one that cannot be: the event is at fault, and will be every time.
pub(crate) fn completion(changed: &TaskChanged) -> Result<Option<Completion>, Cause> {
    let snapshot = &changed.snapshot;
    if changed.kind != ChangeKind::Completed || snapshot.series.is_none() || snapshot.recurrence.is_none() {
        return Ok(None);
    }
    let task = snapshot.to_domain().map_err(|error| Cause::from(&error))?;
    let (Some(series), Some(completed_at)) = (task.series, task.completed_at) else {
        return Err(Cause::rejected("a completed task without the time of its completion"));
    };
    let zone = match &task.due {
        Some(Due::Floating(_)) => snapshot.user_zone().map_err(|error| Cause::from(&error))?,
        _ => Zone::UTC,
    };
    let next = task
        .next(&zone)
        .ok_or_else(|| Cause::rejected("a recurring task without a due time"))?;
    Ok(Some(Completion {
        task: task.id,
        series: series.series,
        completed_at,
        next,
    }))
}
