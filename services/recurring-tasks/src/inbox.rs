//! Which events have been applied.

use std::time::Duration;

use catalogue::database::RECURRING;
use event_bus::inbox;
use events::Event;
use service_kit::{database::Database, telemetry::chain};
use sqlx::{Postgres, Transaction};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long an applied event is remembered: as long as it may come again, from the topic or as a dead letter.
const RETENTION: Duration = Duration::from_hours(24 * 120);
/// Time between two removals of old rows.
const PRUNE_EVERY: Duration = Duration::from_mins(10);

/// Time that a claim waits for another one of the same event.
pub(crate) const CLAIM_TIME: Duration = Duration::from_millis(500);
/// Time after which the server ends a transaction whose owner has vanished.
const ORPHAN_TIME: Duration = Duration::from_secs(10);

/// Claims the event in a transaction, to be committed when its effect is there; `None` when it was applied before.
///
/// The effect lies outside of the database, so the transaction stays open around a call. One that is orphaned (its
/// machine is gone) would hold up whoever handles the event now: the server ends it, and who waits for it gives up soon,
/// with an error that counts as an outage.
pub(crate) async fn claim(database: &Database, event: &Event) -> sqlx::Result<Option<Transaction<'static, Postgres>>> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "select set_config('lock_timeout', $1, true), set_config('idle_in_transaction_session_timeout', $2, true)",
    )
    .bind(format!("{}ms", CLAIM_TIME.as_millis()))
    .bind(format!("{}ms", ORPHAN_TIME.as_millis()))
    .execute(&mut *transaction)
    .await?;
    let is_new = inbox::claim(&mut transaction, &RECURRING, &event.source, event.context.id.get()).await?;
    Ok(is_new.then_some(transaction))
}

/// Removes what is older than it needs to be, until it is told to stop.
pub(crate) async fn prune_regularly(database: Database, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(PRUNE_EVERY)).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(prune(&database))).await {
            let error = chain(&error);
            tracing::warn!(error, "the inbox was not pruned: {error}");
        }
    }
}

async fn prune(database: &Database) -> sqlx::Result<()> {
    let mut connection = database.acquire().await?;
    let removed = inbox::prune(&mut connection, &RECURRING, RETENTION).await?;
    tracing::debug!(removed, "the inbox was pruned");
    Ok(())
}

#[cfg(test)]
mod tests {
    use catalogue::topics;

    use super::*;
    use crate::MIGRATIONS;

    #[test]
    fn what_may_come_again_is_remembered() {
        let retention = |name| {
            let topic = topics::ALL.iter().find(|it| it.name == name);
            topic.expect("it is a topic").default_retention
        };
        assert!(RETENTION >= retention(topics::TASK_EVENTS) + retention(topics::TASK_EVENTS_DLQ));
    }

    #[test]
    fn the_migrations_make_the_inbox_that_the_bus_claims_in() {
        let all: String = MIGRATIONS.iter().map(|it| it.sql.as_str()).collect();
        assert!(all.contains(&inbox::ddl(&RECURRING)), "{all}");
    }
}
