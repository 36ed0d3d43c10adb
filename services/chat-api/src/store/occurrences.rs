//! The ledger of which task is which instance of a series.

use domain::{
    id::{SeriesId, TaskId},
    task::SeriesMembership,
};
use service_kit::database::time::WallTime;
use sqlx::{PgConnection, Result};

/// The task that is this instance, or that follows `predecessor` in this series as another; it may be deleted already.
pub(crate) async fn find(
    connection: &mut PgConnection,
    predecessor: TaskId,
    instance: SeriesMembership,
) -> Result<Option<i64>> {
    sqlx::query_scalar!(
        "select task_id from chat.occurrence
        where series = $1 and (occurrence = $2 or predecessor_id = $3)
        order by occurrence = $2 desc limit 1",
        instance.series.get(),
        WallTime(instance.occurrence.key.get()) as _,
        predecessor.get(),
    )
    .fetch_optional(connection)
    .await
}

/// Notes an instance; `false` when another transaction has noted it in the meantime.
pub(crate) async fn note(
    connection: &mut PgConnection,
    predecessor: TaskId,
    instance: SeriesMembership,
    task: TaskId,
) -> Result<bool> {
    let noted = sqlx::query!(
        "insert into chat.occurrence (series, occurrence, task_id, predecessor_id) values ($1, $2, $3, $4)
        on conflict do nothing",
        instance.series.get(),
        WallTime(instance.occurrence.key.get()) as _,
        task.get(),
        predecessor.get(),
    )
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Forgets the instance that followed this task: it may come again.
pub(crate) async fn forget_successor(
    connection: &mut PgConnection,
    predecessor: TaskId,
    series: SeriesId,
) -> Result<()> {
    sqlx::query!(
        "delete from chat.occurrence where predecessor_id = $1 and series = $2",
        predecessor.get(),
        series.get(),
    )
    .execute(connection)
    .await?;
    Ok(())
}
