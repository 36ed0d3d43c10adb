//! `POST /tasks/batch`

use axum::{extract::State, http::StatusCode};
use domain::{id::TaskId, task::Task};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service_kit::{
    Problem,
    problem::{CONTENT_TYPE, Fault, FieldError, codes},
};
use tracing::Instrument as _;
use utoipa::ToSchema;

use super::{
    answer::Answer,
    caller::Caller,
    keyed::{IdempotencyKeyHeader, Keyed},
    write::{Begun, Write},
};
use crate::{
    app::App,
    operation,
    shape::{
        request::{NewTask, TaskChanges},
        snooze::{Snooze, SnoozeForms},
        task::TaskView,
    },
    usecase::{
        Error, Precondition,
        command::{Command, Target},
    },
};

/// Operations of one batch, at most.
const MAX_OPERATIONS: usize = 100;

/// Several operations, done one after another in one transaction.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    /// Whether nothing is done when one operation fails. Otherwise each has its own result.
    #[serde(default)]
    atomic: bool,
    /// What is to be done.
    #[schema(min_items = 1, max_items = 100)]
    operations: Vec<Operation>,
}

/// One operation of a batch.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Operation {
    /// As `POST /tasks`.
    Create(NewTask),
    /// As `PATCH /tasks/{id}`.
    Update(BatchUpdate),
    /// As `POST /tasks/{id}/complete`.
    Complete(BatchTarget),
    /// As `POST /tasks/{id}/reopen`.
    Reopen(BatchTarget),
    /// As `POST /tasks/{id}/snooze`.
    Snooze(BatchSnooze),
    /// As `DELETE /tasks/{id}`.
    Delete(BatchTarget),
}

/// Which task, and in which version.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchTarget {
    /// Which task.
    id: BatchTaskId,
    /// The version that it must have; any when absent.
    if_version: Option<i64>,
}

/// A change in a batch.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchUpdate {
    /// Which task.
    id: BatchTaskId,
    /// The version that it must have; any when absent.
    if_version: Option<i64>,
    /// What changes.
    changes: TaskChanges,
}

/// A task put off in a batch.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchSnooze {
    /// Which task.
    id: BatchTaskId,
    /// The version that it must have; any when absent.
    if_version: Option<i64>,
    /// Until when.
    #[schema(value_type = SnoozeForms)]
    to: Snooze,
}

/// Which task.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(try_from = "i64")]
#[schema(value_type = i64, minimum = 1, maximum = 9_007_199_254_740_991_i64)]
struct BatchTaskId(TaskId);

impl TryFrom<i64> for BatchTaskId {
    type Error = &'static str;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        let id = TaskId::new(number).map(Self);
        id.map_err(|_| "must be an integer from 1 to 9007199254740991")
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct BatchResults {
    /// What became of each operation, in their order.
    results: Vec<OperationResult>,
}

/// What became of one operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct OperationResult {
    /// The status that the operation would have had alone; 424 when it was undone because another one failed.
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// The task after it; null when there is none.
    task: Option<TaskView>,
    /// Why nothing was done; null when something was. Its pointers begin at the operation.
    #[schema(value_type = Option<Problem>)]
    problem: Option<Value>,
}

/// Do several things at once
#[utoipa::path(
    post, path = "/tasks/batch", tag = "tasks", operation_id = "run_batch",
    params(IdempotencyKeyHeader),
    request_body = Batch,
    responses(
        (status = 200, description = "What became of each operation", body = BatchResults),
        (
            status = 409, description = "The batch is atomic and an operation failed; `results` tells which and why",
            body = Problem, content_type = CONTENT_TYPE,
        ),
    ),
)]
pub(super) async fn run(
    State(app): State<App>,
    caller: Caller,
    Keyed { body, key }: Keyed<Batch>,
) -> Result<Answer, Problem> {
    let Batch { atomic, operations } = body;
    if !(1..=MAX_OPERATIONS).contains(&operations.len()) {
        let fault = if operations.is_empty() {
            Fault::TooShort
        } else {
            Fault::TooLong
        };
        let error = FieldError::body("/operations", fault, "must have 1 to 100 items");
        return Err(Problem::new(&codes::INVALID_BODY).at(error));
    }
    let span = operation::batch_span(&caller.user, operations.len());
    let mut write = match Write::begin(&app, caller, key).await? {
        Begun::First(write) => write,
        Begun::Replay(answer) => return Ok(answer),
    };
    let commands: Vec<_> = operations.into_iter().map(Command::from).collect();
    let done = write.run_all(&commands).instrument(span).await?;
    let failed = atomic && done.iter().any(Result::is_err);
    let results = commands
        .iter()
        .zip(done)
        .map(|(command, done)| result(command, done, failed));
    let results = results.collect();
    if failed {
        // The transaction is dropped, and everything with it.
        return Err(Problem::new(&codes::CONFLICT)
            .detail("An operation failed, so none was done; `results` tells which and why.")
            .member("results", json!(results)));
    }
    write
        .finish(Answer::json(StatusCode::OK, &BatchResults { results })?)
        .await
}

fn result(command: &Command, done: Result<Task, Error>, undone: bool) -> OperationResult {
    let (status, task, problem) = match done {
        Ok(_) if undone => (StatusCode::FAILED_DEPENDENCY, None, None),
        Ok(task) => match command {
            Command::Create(_) => (StatusCode::CREATED, Some(TaskView::from(&task)), None),
            Command::Delete(_) => (StatusCode::NO_CONTENT, None, None),
            _ => (StatusCode::OK, Some(TaskView::from(&task)), None),
        },
        Err(error) => {
            let problem = Problem::from(error);
            problem.log();
            (problem.status(), None, Some(problem.to_json()))
        }
    };
    OperationResult {
        status: status.as_u16(),
        task,
        problem,
    }
}

impl From<Operation> for Command {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Create(new) => Self::Create(Box::new(new)),
            Operation::Update(it) => Self::Update(target(it.id, it.if_version), Box::new(it.changes)),
            Operation::Complete(it) => Self::Complete(target(it.id, it.if_version)),
            Operation::Reopen(it) => Self::Reopen(target(it.id, it.if_version)),
            Operation::Snooze(it) => Self::Snooze(target(it.id, it.if_version), it.to),
            Operation::Delete(it) => Self::Delete(target(it.id, it.if_version)),
        }
    }
}

fn target(BatchTaskId(id): BatchTaskId, version: Option<i64>) -> Target {
    Target {
        id,
        precondition: version.map_or(Precondition::None, |version| Precondition::OneOf(vec![version])),
    }
}
