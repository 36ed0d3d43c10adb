//! The routes of single tasks.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use service_kit::{
    Problem, database,
    extract::{Json, Path},
};

use super::{
    answer::Answer,
    caller::{Caller, TaskNumber},
    conditional::{IfMatch, IfNoneMatch},
    keyed::{IdempotencyKey, Key, Keyed},
    write::{Begun, Write},
};
use crate::{
    app::App,
    error::etag,
    shape::{
        request::{NewTask, TaskChanges},
        snooze::Snooze,
    },
    usecase::{
        command::{Command, Target},
        tasks,
    },
};

/// Create a task
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Keyed { body, key }: Keyed<NewTask>,
) -> Result<Answer, Problem> {
    act(&app, caller, key, Command::Create(Box::new(body))).await
}

/// Read a task
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
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(TaskNumber(id)): Path<TaskNumber>,
    IfMatch(precondition): IfMatch,
) -> Result<Answer, Problem> {
    act(&app, caller, None, Command::Delete(Target { id, precondition })).await
}

/// Complete a task
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
