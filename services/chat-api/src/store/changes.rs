//! What happened to a task.

use domain::id::{TaskId, UserId};
use serde_json::Value;
use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};

/// A row of `chat.task_change`.
#[derive(Clone, Debug)]
pub(crate) struct ChangeRow {
    pub(crate) version: i64,
    pub(crate) kind: String,
    pub(crate) changed_at: Instant,
    pub(crate) correlation_id: String,
    pub(crate) fields: Value,
}

/// Changes of one task of this person before the version `before`, the latest first. Empty when there is no such task.
pub(crate) async fn page(
    connection: &mut PgConnection,
    user: &UserId,
    id: TaskId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<ChangeRow>> {
    sqlx::query_as!(
        ChangeRow,
        "select change.version, change.kind, change.changed_at, change.correlation_id, change.fields
        from chat.task_change as change join chat.task as task on task.id = change.task_id
        where task.id = $1 and task.user_id = $2 and ($3::bigint is null or change.version < $3)
        order by change.version desc limit $4",
        id.get(),
        user.as_str(),
        before,
        limit,
    )
    .fetch_all(connection)
    .await
}
