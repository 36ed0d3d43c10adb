//! The operations on tasks, as traces and metrics name them.

use catalogue::{
    metrics::TASK_OPERATIONS_TOTAL,
    spans::{
        OCCURRENCE_KEY, SERIES_ID, TASK_COMPLETE, TASK_CREATE, TASK_CREATE_OCCURRENCE, TASK_DELETE, TASK_ID,
        TASK_PRIORITY, TASK_REOPEN, TASK_SNOOZE, TASK_UPDATE, TASK_VERSION, USER_ID,
    },
};
use domain::task::{SeriesMembership, Task};
use metrics::Metrics;
use sqlx::PgConnection;
use tracing::{Instrument as _, Span, field::Empty};

use crate::usecase::{Author, Error, command::Command};

/// A span around a change of a task; the name must be a constant of the call site.
macro_rules! task_span {
    ($span:expr $(, $name:expr => $value:expr)*) => {
        tracing::info_span!(
            $span.name,
            { TASK_ID.key } = Empty,
            { TASK_PRIORITY.key } = Empty,
            { TASK_VERSION.key } = Empty,
            { USER_ID.key } = Empty,
            $({ $name.key } = $value,)*
        )
    };
}

/// Does what somebody wants done: in its span, and counted by how it ends.
pub(crate) async fn run(
    command: &Command,
    metrics: &Metrics,
    connection: &mut PgConnection,
    author: &Author,
) -> Result<Task, Error> {
    let (span, name) = span_and_name(command);
    span.record(USER_ID.key, author.person.user.as_str());
    let done = command.apply(connection, author).instrument(span.clone()).await;
    if let Ok(task) = &done {
        record(&span, task);
    }
    count(metrics, name, &done);
    done
}

fn span_and_name(command: &Command) -> (Span, &'static str) {
    match command {
        Command::Create(_) => (task_span!(TASK_CREATE), "create"),
        Command::Update(..) => (task_span!(TASK_UPDATE), "update"),
        Command::Complete(_) => (task_span!(TASK_COMPLETE), "complete"),
        Command::Reopen(_) => (task_span!(TASK_REOPEN), "reopen"),
        Command::Snooze(..) => (task_span!(TASK_SNOOZE), "snooze"),
        Command::Delete(_) => (task_span!(TASK_DELETE), "delete"),
    }
}

/// The span around the creation of a next instance; [`record`] adds the task.
pub(crate) fn occurrence_span(next: SeriesMembership) -> Span {
    let (series, key) = (next.series.to_string(), next.occurrence.key.to_string());
    task_span!(TASK_CREATE_OCCURRENCE, SERIES_ID => series.as_str(), OCCURRENCE_KEY => key.as_str())
}

/// Notes the task in the span of what was done with it.
pub(crate) fn record(span: &Span, task: &Task) {
    span.record(TASK_ID.key, task.id.get());
    span.record(TASK_PRIORITY.key, task.priority.as_str());
    span.record(TASK_VERSION.key, task.version);
    span.record(USER_ID.key, task.user.as_str());
}

/// Counts an operation by how it ended.
pub(crate) fn count<T>(metrics: &Metrics, operation: &str, done: &Result<T, Error>) {
    let outcome = match done {
        Ok(_) => "succeeded",
        Err(Error::NotFound) => "not_found",
        Err(Error::VersionMismatch(_) | Error::ProfileMismatch { .. }) => "conflict",
        Err(Error::Invalid(_) | Error::Snooze(_) | Error::Occurrence(_) | Error::TooLarge(_)) => "refused",
        Err(Error::Database(_) | Error::Corrupt(_) | Error::Exhausted) => "failed",
    };
    metrics.counter(&TASK_OPERATIONS_TOTAL, &[operation, outcome]).inc();
}
