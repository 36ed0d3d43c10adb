//! Partitions.

use sqlx::{PgConnection, Result};

use crate::day::Day;

/// The days that have a partition, in order.
pub(crate) async fn prepared(connection: &mut PgConnection) -> Result<Vec<Day>> {
    sqlx::query_scalar!(r#"select day as "day!" from audit.prepared_days() as day"#)
        .fetch_all(connection)
        .await
}

/// Makes the partition of a day. False when it is there already.
pub(crate) async fn prepare(connection: &mut PgConnection, day: Day) -> Result<bool> {
    sqlx::query_scalar!(r#"select audit.prepare_day($1) as "made!""#, day as Day)
        .fetch_one(connection)
        .await
}

/// Lets the transaction wait for each lock only shortly. Whoever waits for one on the whole table makes all others wait
/// behind it; whoever waits for a day that is being dropped had better say so than be cut off.
pub(crate) async fn wait_shortly(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("set local lock_timeout = '1s'")
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets the statements of the transaction take long: a day may have millions of rows.
pub(crate) async fn take_long(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("set local statement_timeout = '10min'")
        .execute(connection)
        .await?;
    Ok(())
}

/// Drops the partition of a day and leaves anchors. False when it is gone already.
pub(crate) async fn drop(connection: &mut PgConnection, day: Day) -> Result<bool> {
    sqlx::query_scalar!(r#"select audit.drop_day($1) as "dropped!""#, day as Day)
        .fetch_one(connection)
        .await
}
