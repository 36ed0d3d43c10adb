//! What people want done with one task, as data: from a route of its own, or from a batch.

use domain::{id::TaskId, task::Task};
use sqlx::PgConnection;

use super::{Author, Error, Precondition, tasks};
use crate::shape::{
    request::{NewTask, TaskChanges},
    snooze::Snooze,
};

/// What somebody wants done.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Create a task.
    Create(Box<NewTask>),
    /// Change fields of a task.
    Update(Target, Box<TaskChanges>),
    /// Complete a task.
    Complete(Target),
    /// Reopen a task.
    Reopen(Target),
    /// Put a task off.
    Snooze(Target, Snooze),
    /// Delete a task.
    Delete(Target),
}

/// The task that is meant, and in which version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: TaskId,
    pub(crate) precondition: Precondition,
}

impl Command {
    /// The task that is there already.
    pub(crate) fn target(&self) -> Option<&Target> {
        match self {
            Self::Create(_) => None,
            Self::Update(target, _)
            | Self::Complete(target)
            | Self::Reopen(target)
            | Self::Snooze(target, _)
            | Self::Delete(target) => Some(target),
        }
    }

    /// Does it; given back is the task after it, after a deletion as it last was.
    pub(crate) async fn apply(&self, connection: &mut PgConnection, author: &Author) -> Result<Task, Error> {
        match self {
            Self::Create(new) => tasks::create(connection, author, new).await,
            Self::Update(target, changes) => tasks::update(connection, author, target, changes).await,
            Self::Complete(target) => tasks::complete(connection, author, target).await,
            Self::Reopen(target) => tasks::reopen(connection, author, target).await,
            Self::Snooze(target, snooze) => tasks::snooze(connection, author, target, snooze).await,
            Self::Delete(target) => tasks::delete(connection, author, target).await,
        }
    }
}
