//! How far verification has come.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// Takes a pass over that nobody holds, or begins one when the last began so many seconds ago. Gives the task behind
/// which to go on; `None` when there is nothing to do.
pub(crate) async fn claim(connection: &mut PgConnection, holder: Uuid, every_seconds: f64) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        r#"update audit.verification
        set holder = $1, held_until = now() + interval '1 minute',
            begun_at = case when after_task is null then now() else begun_at end,
            after_task = coalesce(after_task, 0)
        where coalesce(held_until < now(), true)
            and (after_task is not null or coalesce(verified_at < now() - make_interval(secs => $2), true))
        returning after_task as "after_task!""#,
        holder,
        every_seconds,
    )
    .fetch_optional(connection)
    .await
}

/// Notes that everything up to this task is verified, and keeps the pass for another minute. False when another replica
/// has taken it over.
pub(crate) async fn advance(connection: &mut PgConnection, holder: Uuid, task_id: i64) -> Result<bool> {
    let advanced = sqlx::query!(
        "update audit.verification set after_task = $2, held_until = now() + interval '1 minute' where holder = $1",
        holder,
        task_id,
    )
    .execute(connection)
    .await?;
    Ok(advanced.rows_affected() == 1)
}

/// Notes that everything is verified as of the beginning of the pass.
pub(crate) async fn finish(connection: &mut PgConnection, holder: Uuid) -> Result<()> {
    sqlx::query!(
        "update audit.verification
        set verified_at = begun_at, begun_at = null, after_task = null, holder = null, held_until = null
        where holder = $1",
        holder,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// When the last whole pass began.
pub(crate) async fn verified_at(connection: &mut PgConnection) -> Result<Option<Instant>> {
    sqlx::query_scalar!("select verified_at from audit.verification")
        .fetch_one(connection)
        .await
}
