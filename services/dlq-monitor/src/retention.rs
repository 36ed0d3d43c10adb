//! What is settled is forgotten after a while: letters hold what people wrote. What waits is never forgotten.

use std::time::Duration;

use service_kit::{database::Database, telemetry::chain};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::store;

/// A settled letter is kept as long as the topics of events: until then its event could come back from there.
const SETTLED: Duration = Duration::from_hours(90 * 24);
/// A task of which nothing was seen for longer than its topic and every dead letter that may be replayed are old.
const UNSEEN: Duration = Duration::from_hours(2 * 90 * 24);
/// Time between two looks.
const PERIOD: Duration = Duration::from_hours(1);
/// Rows that one statement removes.
const BATCH: i64 = 1_000;

/// Forgets until it is told to stop.
pub(crate) async fn keep(database: Database, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(forget(&database))).await {
            let error = chain(&error);
            tracing::warn!(error, "old letters are forgotten later: {error}");
        }
        stop.run_until_cancelled(sleep(PERIOD)).await;
    }
}

async fn forget(database: &Database) -> sqlx::Result<()> {
    let limit = BATCH.unsigned_abs();
    let mut connection = database.acquire().await?;
    while store::letters::forget(&mut connection, SETTLED.as_secs_f64(), BATCH).await? == limit {}
    while store::tasks::forget(&mut connection, UNSEEN.as_secs_f64(), BATCH).await? == limit {}
    Ok(())
}
