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

/// Lets statements of this transaction take long, and wait for locks only shortly: whoever waits for one on the whole
/// table makes all others wait behind it.
pub(crate) async fn be_patient_but_polite(connection: &mut PgConnection) -> Result<()> {
    sqlx::query!("set local statement_timeout = '10min'")
        .execute(&mut *connection)
        .await?;
    sqlx::query!("set local lock_timeout = '1s'")
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
