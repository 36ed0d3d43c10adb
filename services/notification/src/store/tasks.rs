//! Tasks, as far as their reminders depend on them.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};

/// A task as it was last told of.
#[derive(Clone, Debug)]
pub(crate) struct TaskRow {
    pub(crate) task_id: i64,
    pub(crate) user_id: String,
    pub(crate) version: i64,
    pub(crate) is_open: bool,
    pub(crate) title: String,
    pub(crate) due_at: Option<Instant>,
    pub(crate) time_zone: String,
}

/// Whose task it is and which version is known, 0 for one that is new. Nobody else can plan or claim its reminders before
/// the transaction ends. Waits for others 2 s at most, here and later in the transaction.
pub(crate) async fn lock(connection: &mut PgConnection, task: &TaskRow) -> Result<(String, i64)> {
    let locked = sqlx::query!(
        "insert into notification.task as it (task_id, user_id, version, is_open, title, due_at, time_zone)
        select $1, $2, 0, $6, $3, $4, $5 from set_config('lock_timeout', '2s', true)
        on conflict on constraint task_pkey do update set version = it.version
        returning user_id, version",
        task.task_id,
        task.user_id,
        task.title,
        task.due_at as Option<Instant>,
        task.time_zone,
        task.is_open,
    )
    .fetch_one(connection)
    .await?;
    Ok((locked.user_id, locked.version))
}

/// The person's task, locked as by [`lock`]; `None` when they have none with this number.
pub(crate) async fn lock_known(connection: &mut PgConnection, task_id: i64, user_id: &str) -> Result<Option<TaskRow>> {
    sqlx::query_as!(
        TaskRow,
        "select task_id, user_id, version, is_open, title, due_at, time_zone from notification.task
        where task_id = $1 and user_id = $2 for update",
        task_id,
        user_id,
    )
    .fetch_optional(connection)
    .await
}

/// Writes what is known of the locked task now.
pub(crate) async fn update(connection: &mut PgConnection, task: &TaskRow) -> Result<()> {
    sqlx::query!(
        "update notification.task set version = $2, title = $3, due_at = $4, time_zone = $5, is_open = $6
        where task_id = $1",
        task.task_id,
        task.version,
        task.title,
        task.due_at as Option<Instant>,
        task.time_zone,
        task.is_open,
    )
    .execute(connection)
    .await?;
    Ok(())
}
