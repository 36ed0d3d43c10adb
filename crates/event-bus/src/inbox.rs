//! Which events a service has applied: a second delivery finds the row of the first and changes nothing.
//!
//! Each service has a table `inbox` in its own schema, created by its migrations with the text of [`ddl`].

use std::time::Duration;

use catalogue::Schema;
use sqlx::{AssertSqlSafe, PgConnection, Result};
use uuid::Uuid;

/// Rows that one statement of [`prune`] removes: short transactions, little to undo.
const PRUNE_BATCH_ROWS: i64 = 5_000;

/// The statements that create the inbox in this schema; they belong into a migration of its owner.
#[must_use]
pub fn ddl(schema: &Schema) -> String {
    include_str!("../sql/inbox.sql").replace("{schema}", schema.name)
}

/// Whether the event is new to the owner of the schema. True exactly once per (source, event id), in the transaction
/// that commits first: another one waits for it here and is told false. When it rolls back, the claim is void.
pub async fn claim(connection: &mut PgConnection, schema: &Schema, source: &str, event_id: Uuid) -> Result<bool> {
    let statement = format!(
        "insert into {}.inbox (source, event_id) values ($1, $2) on conflict do nothing",
        schema.name
    );
    let inserted = sqlx::query(AssertSqlSafe(statement))
        .bind(source)
        .bind(event_id)
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Removes the rows that are older than `retention`, and returns how many. An event that is delivered later than that
/// would be applied again: `retention` must be at least as long as the topic's and as the oldest dead letter that may
/// be replayed. Runs outside of a transaction, in small steps.
pub async fn prune(connection: &mut PgConnection, schema: &Schema, retention: Duration) -> Result<u64> {
    let statement = format!(
        "delete from {0}.inbox where (source, event_id) in (
            select source, event_id from {0}.inbox
            where received_at < now() - make_interval(secs => $1) order by received_at limit $2
        )",
        schema.name
    );
    let mut removed = 0;
    loop {
        let step = sqlx::query(AssertSqlSafe(statement.clone()))
            .bind(retention.as_secs_f64())
            .bind(PRUNE_BATCH_ROWS)
            .execute(&mut *connection)
            .await?
            .rows_affected();
        removed += step;
        if step < PRUNE_BATCH_ROWS.unsigned_abs() {
            return Ok(removed);
        }
    }
}
