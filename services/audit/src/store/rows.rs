//! Rows of the record.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};

use crate::{
    chain::{Hash, Row},
    day::Day,
};

/// Bytes of events after which a page ends. A page holds one event at least, and no event is larger than the brokers
/// take (1 MiB): so no page is larger than twice this.
const PAGE_BYTES: i64 = 1 << 20;

/// Adds the row behind the head that the transaction has locked, and moves the head. False when the event is there
/// already, and nothing was done.
pub(crate) async fn append(connection: &mut PgConnection, row: &Row) -> Result<bool> {
    let moved = sqlx::query!(
        "with appended as (
            insert into audit.event (task_id, position, event_day, source, event_id, type, recorded_at, event,
                previous_hash, hash)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            on conflict (event_day, source, event_id) do nothing
            returning task_id, position, hash
        )
        update audit.chain as it set position = appended.position, hash = appended.hash
        from appended where it.task_id = appended.task_id",
        row.task_id,
        row.position,
        row.event_day as Day,
        row.source,
        row.event_id,
        row.event_type,
        row.recorded_at as Instant,
        row.event,
        row.previous_hash as Hash,
        row.hash as Hash,
    )
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Whether a row could not be added because its day has no partition.
pub(crate) fn is_day_missing(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        // A violated check would have a name.
        error.code().as_deref() == Some("23514") && error.table() == Some("event") && error.constraint().is_none()
    })
}

/// A page of rows: `from` and what must hold, then the greatest number of rows, then the parameters before it.
macro_rules! page {
    ($source:literal, $limit:expr $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            r#"select task_id as "task_id!", position as "position!", event_day as "event_day!", source as "source!",
                event_id as "event_id!", event_type as "event_type!", recorded_at as "recorded_at!", event as "event!",
                previous_hash as "previous_hash!: Hash", hash as "hash!: Hash"
            from (
                select *, sum(octet_length(event)) over (order by task_id, position) - octet_length(event) as bytes_before
                from (
                    select it.task_id, it.position, it.event_day, it.source, it.event_id, it.type as event_type,
                        it.recorded_at, it.event, it.previous_hash, it.hash "#
                + $source
                + " order by it.task_id, it.position limit $1
                ) as page
            ) as page
            where bytes_before < $2
            order by task_id, position",
            $limit,
            PAGE_BYTES as i64
            $(, $argument)*
        )
    };
}

/// Where a walk through the rows stands: behind this row, in the order of tasks and positions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Behind {
    pub(crate) task_id: i64,
    pub(crate) position: i64,
}

/// The next rows of these tasks.
pub(crate) async fn of_tasks(
    connection: &mut PgConnection,
    tasks: &[i64],
    behind: Behind,
    limit: i64,
) -> Result<Vec<Row>> {
    page!(
        "from audit.event as it where it.task_id = any($3) and (it.task_id, it.position) > ($4, $5)",
        limit,
        tasks,
        behind.task_id,
        behind.position
    )
    .fetch_all(connection)
    .await
}

/// The next rows of all tasks up to `through`.
pub(crate) async fn up_to(connection: &mut PgConnection, through: i64, behind: Behind, limit: i64) -> Result<Vec<Row>> {
    page!(
        "from audit.event as it where it.task_id <= $3 and (it.task_id, it.position) > ($4, $5)",
        limit,
        through,
        behind.task_id,
        behind.position
    )
    .fetch_all(connection)
    .await
}

/// Lets the rest of the transaction see one moment, in which every day is where it is. Its first statements.
pub(crate) async fn see_one_moment(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("set transaction isolation level repeatable read")
        .execute(&mut *connection)
        .await?;
    // Before the first look, which fixes the moment: a day that is dropped in between would be missing in the rows, and
    // its anchors would not be there yet.
    sqlx::query!("lock table audit.event in access share mode")
        .execute(connection)
        .await?;
    Ok(())
}
