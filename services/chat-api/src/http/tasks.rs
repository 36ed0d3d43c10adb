//! The routes of single tasks.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use service_kit::{
    Problem, database,
    extract::{Json, Path},
    problem::CONTENT_TYPE,
};

use super::{
    answer::Answer,
    caller::{Caller, TaskNumber},
    conditional::{IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader},
    keyed::{IdempotencyKey, IdempotencyKeyHeader, Key, Keyed},
    write::{Begun, Write},
};
use crate::{
    app::App,
    error::etag,
    shape::{
        request::{NewTask, TaskChanges},
        snooze::{Snooze, SnoozeForms},
        task::TaskView,
    },
    usecase::{
        command::{Command, Target},
        tasks,
    },
};

/// Create a task
#[utoipa::path(
    post, path = "/tasks", tag = "tasks", operation_id = "create_task",
    params(IdempotencyKeyHeader),
    request_body = NewTask,
    responses((
        status = 201, description = "The task", body = TaskView,
        headers(
            ("ETag" = String, description = "Strong entity tag of its version"),
            ("Location" = String, description = "Where it is"),
        ),
    )),
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Keyed { body, key }: Keyed<NewTask>,
) -> Result<Answer, Problem> {
    act(&app, caller, key, Command::Create(Box::new(body))).await
}

/// Read a task
#[utoipa::path(
    get, path = "/tasks/{id}", tag = "tasks", operation_id = "read_task",
    params(("id" = inline(TaskNumber), Path, description = "Which task"), IfNoneMatchHeader),
    responses(
        (status = 200, description = "The task", body = TaskView, headers(("ETag" = String, description = "Strong entity tag of its version"))),
        (status = 304, description = "The caller has it already", headers(("ETag" = String, description = "Strong entity tag of its version"))),
    ),
)]
pub(super) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    have: IfNoneMatch,
) -> Result<Response, Problem> {
    let mut connection = app.database.acquire().await.map_err(database::problem)?;
    let task = tasks::read(&mut connection, &caller.user, id).await?;
    if have.has(task.version) {
        let tag = [(header::ETAG, etag(task.version))];
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    Answer::task(&task).map(Answer::into_response)
}

/// Change a task
#[utoipa::path(
    patch, path = "/tasks/{id}", tag = "tasks", operation_id = "update_task",
    params(("id" = inline(TaskNumber), Path, description = "Which task"), IfMatchHeader),
    request_body(content(
        (TaskChanges = "application/json"),
        (TaskChanges = "application/merge-patch+json"),
    )),
    responses((status = 200, description = "The task after it", body = TaskView, headers(("ETag" = String, description = "Strong entity tag of its version")))),
)]
pub(super) async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    IfMatch(precondition): IfMatch,
    Json(changes): Json<TaskChanges>,
) -> Result<Answer, Problem> {
    let target = Target { id, precondition };
    act(&app, caller, None, Command::Update(target, Box::new(changes))).await
}

/// Delete a task
#[utoipa::path(
    delete, path = "/tasks/{id}", tag = "tasks", operation_id = "delete_task",
    params(("id" = inline(TaskNumber), Path, description = "Which task"), IfMatchHeader),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    IfMatch(precondition): IfMatch,
) -> Result<Answer, Problem> {
    act(&app, caller, None, Command::Delete(Target { id, precondition })).await
}

/// Complete a task
///
/// The next instance of a recurring task appears soon afterwards. Completing it again changes nothing.
#[utoipa::path(
    post, path = "/tasks/{id}/complete", tag = "tasks", operation_id = "complete_task",
    params(("id" = inline(TaskNumber), Path, description = "Which task"), IfMatchHeader, IdempotencyKeyHeader),
    responses((status = 200, description = "The task after it", body = TaskView, headers(("ETag" = String, description = "Strong entity tag of its version")))),
)]
pub(super) async fn complete(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    IfMatch(precondition): IfMatch,
    Key(key): Key,
) -> Result<Answer, Problem> {
    act(&app, caller, key, Command::Complete(Target { id, precondition })).await
}

/// Reopen a task
///
/// The next instance of a recurring task goes with it, unless somebody has touched that.
#[utoipa::path(
    post, path = "/tasks/{id}/reopen", tag = "tasks", operation_id = "reopen_task",
    params(("id" = inline(TaskNumber), Path, description = "Which task"), IfMatchHeader, IdempotencyKeyHeader),
    responses((status = 200, description = "The task after it", body = TaskView, headers(("ETag" = String, description = "Strong entity tag of its version")))),
)]
pub(super) async fn reopen(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    IfMatch(precondition): IfMatch,
    Key(key): Key,
) -> Result<Answer, Problem> {
    act(&app, caller, key, Command::Reopen(Target { id, precondition })).await
}

/// Put a task off
///
/// Only this instance of a recurring task moves; the series stays where it is.
#[utoipa::path(
    post, path = "/tasks/{id}/snooze", tag = "tasks", operation_id = "snooze_task",
    params(("id" = inline(TaskNumber), Path, description = "Which task"), IfMatchHeader, IdempotencyKeyHeader),
    request_body = SnoozeForms,
    responses(
        (status = 200, description = "The task after it", body = TaskView, headers(("ETag" = String, description = "Strong entity tag of its version"))),
        (status = 409, description = "It is completed, or has no due time", body = Problem, content_type = CONTENT_TYPE),
    ),
)]
pub(super) async fn snooze(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    IfMatch(precondition): IfMatch,
    Keyed { body, key }: Keyed<Snooze>,
) -> Result<Answer, Problem> {
    act(&app, caller, key, Command::Snooze(Target { id, precondition }, body)).await
}

/// Does it in a transaction of its own.
async fn act(app: &App, caller: Caller, key: Option<IdempotencyKey>, command: Command) -> Result<Answer, Problem> {
    let mut write = match Write::begin(app, caller, key).await? {
        Begun::First(write) => write,
        Begun::Replay(answer) => return Ok(answer),
    };
    let task = write.run(&command).await?;
    let answer = match command {
        Command::Create(_) => Answer::created(&task)?,
        Command::Delete(_) => Answer::no_content(),
        _ => Answer::task(&task)?,
    };
    write.finish(answer).await
}
