//! Depth and age, as the table says: every replica exports the same.

use std::time::Duration;

use catalogue::{
    metrics::{DLQ_DEPTH, DLQ_OLDEST_AGE_SECONDS},
    topics,
};
use metrics::Metrics;
use service_kit::{database::Database, telemetry::chain};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{store::statistics, telling::Telling};

/// Longest time between two counts: another replica may have changed something.
const PERIOD: Duration = Duration::from_secs(2);
/// Shortest time between two counts, when letters arrive one after another.
const BREATH: Duration = Duration::from_millis(250);

/// Counts until it is told to stop. While the database is away the gauges stay as they are.
pub(crate) async fn keep(database: Database, metrics: Metrics, telling: Telling, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Some(Err(error)) = stop.run_until_cancelled(Box::pin(count(&database, &metrics))).await {
            let error = chain(&error);
            tracing::debug!(error, "dead letters were not counted: {error}");
        }
        let woken = async {
            sleep(BREATH).await;
            timeout(PERIOD, telling.changed.notified()).await
        };
        // Woken or not: it counts.
        stop.run_until_cancelled(woken).await;
    }
}

#[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
async fn count(database: &Database, metrics: &Metrics) -> sqlx::Result<()> {
    let mut connection = database.acquire().await?;
    let depths = statistics::depths(&mut connection).await?;
    for origin in topics::ORIGINS {
        let waiting = depths.iter().find(|it| it.origin == *origin);
        let depth = waiting.map_or(0.0, |it| it.depth as f64);
        metrics.gauge(&DLQ_DEPTH, &[origin]).set(depth);
        let oldest = waiting.map_or(0.0, |it| it.oldest_seconds);
        metrics.gauge(&DLQ_OLDEST_AGE_SECONDS, &[origin]).set(oldest);
    }
    Ok(())
}
