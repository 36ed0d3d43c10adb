//! The newest versions of tasks.

use sqlx::{PgConnection, Result};

/// Notes a version of a task, and says whether it is newer than all before.
pub(crate) async fn note(connection: &mut PgConnection, task_id: i64, version: i64) -> Result<bool> {
    let noted = sqlx::query!(
        "insert into dlq.task as it (task_id, version, seen_at) values ($1, $2, now())
        on conflict (task_id) do update set version = excluded.version, seen_at = excluded.seen_at
            where it.version < excluded.version",
        task_id,
        version,
    )
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Forgets tasks of which nothing was seen for so long; says how many.
pub(crate) async fn forget(connection: &mut PgConnection, seconds: f64, limit: i64) -> Result<u64> {
    let forgotten = sqlx::query!(
        "delete from dlq.task where task_id in (
            select task_id from dlq.task where seen_at < now() - make_interval(secs => $1) limit $2
        )",
        seconds,
        limit,
    )
    .execute(connection)
    .await?;
    Ok(forgotten.rows_affected())
}
