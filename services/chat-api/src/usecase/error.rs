use catalogue::topics;
use domain::{
    id::UserId,
    task::{
        Task,
        problem::Problems,
        transition::{OccurrenceError, SnoozeError},
    },
};
use outbox::AppendError;

use crate::{
    shape::invalid::InvalidFields,
    store::{profiles::ProfileRow, row::CorruptRow},
};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The person has no such task.
    #[error("no such task")]
    NotFound,
    /// It was changed in the meantime; this is what it is now.
    #[error("the task is another version")]
    VersionMismatch(Box<Task>),
    /// The profile was changed in the meantime.
    #[error("the profile is another version")]
    ProfileMismatch {
        /// Whose it is.
        user: UserId,
        /// What it is now.
        current: Box<ProfileRow>,
    },
    /// Fields that cannot be.
    #[error(transparent)]
    Invalid(#[from] InvalidFields),
    /// It cannot be snoozed.
    #[error(transparent)]
    Snooze(#[from] SnoozeError),
    /// It has no such next instance.
    #[error(transparent)]
    Occurrence(#[from] OccurrenceError),
    /// With everything in it the task does not fit into an event.
    #[error("the task does not fit into a record of `{}`", topics::TASK_EVENTS)]
    TooLarge(#[source] AppendError),
    /// The database, or what it holds.
    #[error("could not read or write tasks")]
    Database(#[from] sqlx::Error),
    /// A row that cannot be read.
    #[error(transparent)]
    Corrupt(#[from] CorruptRow),
    /// A counter has reached its end.
    #[error("a counter has reached its end")]
    Exhausted,
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Invalid(problems.into())
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::TooLarge { .. } => Self::TooLarge(error),
            AppendError::Database { cause, .. } => Self::Database(cause),
        }
    }
}
