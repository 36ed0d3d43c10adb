//! Creating, reading, changing, completing, reopening, snoozing and deleting one task.

use domain::{
    id::{SeriesId, TaskId, UserId},
    task::{Task, transition::Change},
};
use jiff::Timestamp;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Author, Error, command::Target, write::write};
use crate::{
    shape::{
        request::{NewTask, TaskChanges},
        snooze::Snooze,
    },
    store::{self, occurrences},
};

/// A task of this person.
pub(crate) async fn read(connection: &mut PgConnection, user: &UserId, id: TaskId) -> Result<Task, Error> {
    let row = store::tasks::find(connection, user, id).await?;
    Ok(row.ok_or(Error::NotFound)?.try_into()?)
}

/// Creates a task.
pub(crate) async fn create(connection: &mut PgConnection, author: &Author, new: &NewTask) -> Result<Task, Error> {
    let draft = new.to_domain(&author.person.zone)?;
    let id = next_id(connection).await?;
    let change = Task::create(id, author.person.user.clone(), draft, new_series(), Timestamp::now())?;
    write(connection, author, None, &change).await?;
    Ok(change.task)
}

/// Changes a task.
pub(crate) async fn update(
    connection: &mut PgConnection,
    author: &Author,
    target: &Target,
    changes: &TaskChanges,
) -> Result<Task, Error> {
    let task = lock(connection, author, target).await?;
    let patch = changes.to_domain(&task, &author.person.zone)?;
    let change = task.update(patch, new_series(), Timestamp::now())?;
    settle(connection, author, task, change).await
}

/// Completes a task. The next instance of a recurring one is made by whoever hears of it.
pub(crate) async fn complete(connection: &mut PgConnection, author: &Author, target: &Target) -> Result<Task, Error> {
    let task = lock(connection, author, target).await?;
    let change = task.complete(Timestamp::now());
    settle(connection, author, task, change).await
}

/// Reopens a task, and takes back its next instance unless somebody has touched that.
pub(crate) async fn reopen(connection: &mut PgConnection, author: &Author, target: &Target) -> Result<Task, Error> {
    let task = lock(connection, author, target).await?;
    let now = Timestamp::now();
    let Some(change) = task.reopen(now) else {
        return Ok(task);
    };
    if let Some(series) = task.series.map(|it| it.series) {
        // Younger than the task, so locked in order.
        let successor = store::tasks::find_successor_and_lock(connection, &task.user, task.id, series).await?;
        let successor = successor.map(Task::try_from).transpose()?;
        if let Some(successor) = successor.filter(Task::is_untouched) {
            occurrences::forget_successor(connection, task.id, series).await?;
            write(connection, author, Some(&successor), &successor.delete(now)).await?;
        }
    }
    settle(connection, author, task, Some(change)).await
}

/// Puts a task off.
pub(crate) async fn snooze(
    connection: &mut PgConnection,
    author: &Author,
    target: &Target,
    snooze: &Snooze,
) -> Result<Task, Error> {
    let task = lock(connection, author, target).await?;
    let now = Timestamp::now();
    let until = snooze.until(&author.person.zone, now)?;
    let change = task.snooze(until, &author.person.zone, now)?;
    settle(connection, author, task, change).await
}

/// Deletes a task; given back is how it last was, one version later.
pub(crate) async fn delete(connection: &mut PgConnection, author: &Author, target: &Target) -> Result<Task, Error> {
    let task = lock(connection, author, target).await?;
    super::occurrences::create_before_deletion(connection, author, &task).await?;
    let change = task.delete(Timestamp::now());
    settle(connection, author, task, Some(change)).await
}

/// The id for a new task.
pub(super) async fn next_id(connection: &mut PgConnection) -> Result<TaskId, Error> {
    let id = store::tasks::next_id(connection).await?;
    TaskId::new(id).map_err(|_| Error::Exhausted)
}

/// The author's task as nobody else can change it before the transaction ends, in a version that the caller accepts.
async fn lock(connection: &mut PgConnection, author: &Author, target: &Target) -> Result<Task, Error> {
    let row = store::tasks::find_and_lock(connection, &author.person.user, target.id).await?;
    let task = Task::try_from(row.ok_or(Error::NotFound)?)?;
    if target.precondition.allows(task.version) {
        Ok(task)
    } else {
        Err(Error::VersionMismatch(Box::new(task)))
    }
}

/// Writes the change, if there is one; given back is the task after it.
async fn settle(
    connection: &mut PgConnection,
    author: &Author,
    before: Task,
    change: Option<Change>,
) -> Result<Task, Error> {
    let Some(change) = change else {
        return Ok(before);
    };
    write(connection, author, Some(&before), &change).await?;
    Ok(change.task)
}

/// An id for a series that may begin.
fn new_series() -> SeriesId {
    SeriesId::new(Uuid::now_v7()).expect("a UUID of version 7 is not nil")
}
