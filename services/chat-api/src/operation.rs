//! The operations on tasks, as traces and metrics name them.

use catalogue::{
    metrics::TASK_OPERATIONS_TOTAL,
    spans::{
        BATCH_SIZE, OCCURRENCE_KEY, SERIES_ID, TASK_BATCH, TASK_COMPLETE, TASK_CREATE, TASK_CREATE_OCCURRENCE,
        TASK_DELETE, TASK_ID, TASK_PRIORITY, TASK_REOPEN, TASK_SNOOZE, TASK_UPDATE, TASK_VERSION, USER_ID,
    },
};
use domain::{
    id::UserId,
    task::{SeriesMembership, Task},
};
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

/// The span around a batch.
pub(crate) fn batch_span(user: &UserId, size: usize) -> Span {
    tracing::info_span!(
        TASK_BATCH.name,
        { USER_ID.key } = user.as_str(),
        { BATCH_SIZE.key } = size,
    )
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

#[cfg(test)]
mod tests {
    use catalogue::{Span as CatalogueSpan, spans};
    use domain::{
        id::{SeriesId, TaskId},
        recurrence::{OccurrenceKey, next::Occurrence},
    };
    use jiff::civil::datetime;
    use tracing::subscriber::with_default;
    use tracing_subscriber::Registry;
    use uuid::Uuid;

    use super::*;
    use crate::usecase::{Precondition, command::Target};

    fn check(span: &Span, expected: &CatalogueSpan) {
        let metadata = span.metadata().expect("somebody listens");
        assert_eq!(metadata.name(), expected.name);
        let mut recorded: Vec<_> = metadata.fields().iter().map(|field| field.name()).collect();
        let mut known: Vec<_> = expected.attributes.iter().map(|attribute| attribute.key).collect();
        recorded.sort_unstable();
        known.sort_unstable();
        assert_eq!(recorded, known, "{}", expected.name);
    }

    #[test]
    fn spans_are_those_of_the_catalogue() {
        let target = || Target {
            id: TaskId::new(1).unwrap(),
            precondition: Precondition::None,
        };
        let next = SeriesMembership {
            series: SeriesId::new(Uuid::now_v7()).unwrap(),
            occurrence: Occurrence {
                key: OccurrenceKey::new(datetime(2026, 5, 1, 8, 0, 0, 0)),
                ordinal: 2,
            },
        };
        let new = serde_json::from_str(r#"{"title":"a"}"#).unwrap();
        let snooze = serde_json::from_str(r#"{"for":"P1D"}"#).unwrap();
        let commands = [
            (Command::Create(Box::new(new)), spans::TASK_CREATE),
            (Command::Update(target(), Box::default()), spans::TASK_UPDATE),
            (Command::Complete(target()), spans::TASK_COMPLETE),
            (Command::Reopen(target()), spans::TASK_REOPEN),
            (Command::Snooze(target(), snooze), spans::TASK_SNOOZE),
            (Command::Delete(target()), spans::TASK_DELETE),
        ];
        with_default(Registry::default(), || {
            for (command, expected) in &commands {
                check(&span_and_name(command).0, expected);
            }
            check(&occurrence_span(next), &spans::TASK_CREATE_OCCURRENCE);
            let user = UserId::new("ada").unwrap();
            check(&batch_span(&user, 2), &spans::TASK_BATCH);
        });
    }
}
