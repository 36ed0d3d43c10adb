//! The next instance of a recurring task, on command of the service that knows when it is.

use domain::{
    id::TaskId,
    recurrence::next::Next,
    task::{SeriesMembership, Task},
};
use events::CorrelationId;
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{Author, Error, Person, tasks, write::write};
use crate::store::{self, occurrences};

/// What became of the command.
#[derive(Debug)]
pub(crate) enum Instance {
    /// The instance was created.
    Created(Box<Task>),
    /// It was there before, or the task has another successor already; it may be deleted since.
    Existing(i64),
}

/// Creates the instance `next` after the task `id`, which follows from its completion at `completed_at`, once. The
/// person is read from the task.
pub(crate) async fn create(
    connection: &mut PgConnection,
    correlation_id: CorrelationId,
    id: TaskId,
    next: SeriesMembership,
    completed_at: Timestamp,
) -> Result<Instance, Error> {
    let row = store::tasks::find_any_and_lock(connection, id).await?;
    // What was done once stays done, whatever became of the tasks.
    if let Some(existing) = occurrences::find(connection, id, next).await? {
        return Ok(Instance::Existing(existing));
    }
    let task = Task::try_from(row.ok_or(Error::NotFound)?)?;
    let new_id = tasks::next_id(connection).await?;
    let change = task.occurrence(new_id, next, completed_at, Timestamp::now())?;
    if !occurrences::note(connection, id, next, new_id).await? {
        let existing = occurrences::find(connection, id, next).await?;
        return existing.map(Instance::Existing).ok_or(Error::NotFound);
    }
    let person = Person::load(connection, task.user.clone()).await?;
    let author = Author { person, correlation_id };
    write(connection, &author, None, &change).await?;
    Ok(Instance::Created(Box::new(change.task)))
}

/// Creates what follows a completed task that is about to be deleted, unless it is there already. Whoever would command
/// it may not have heard of the completion yet, and will not find the task any more.
///
/// Only where the completion was the last change: after another one, the task does not say what was completed.
pub(super) async fn create_before_deletion(
    connection: &mut PgConnection,
    author: &Author,
    task: &Task,
) -> Result<(), Error> {
    let completed_last = task.completed_at.filter(|at| *at == task.updated_at);
    let (Some(completed_at), Some(series), Some(Next::Occurrence(occurrence))) =
        (completed_last, task.series, task.next(&author.person.zone))
    else {
        return Ok(());
    };
    let next = SeriesMembership {
        series: series.series,
        occurrence,
    };
    if occurrences::find(connection, task.id, next).await?.is_some() {
        return Ok(());
    }
    let new_id = tasks::next_id(connection).await?;
    let change = task.occurrence(new_id, next, completed_at, Timestamp::now())?;
    if occurrences::note(connection, task.id, next, new_id).await? {
        write(connection, author, None, &change).await?;
    }
    Ok(())
}
