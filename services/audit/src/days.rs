//! Days: partitions made ahead, and dropped after the retention.

use std::time::Duration;

use catalogue::metrics::AUDIT_DAYS_PREPARED;
use jiff::Timestamp;
use metrics::Metrics;
use service_kit::{database::Database, telemetry::chain};
use tokio_util::sync::CancellationToken;

use crate::{
    day::Day,
    retention::{DAYS_AHEAD, Retention},
    store,
};

/// Time between two looks; a day is never far from being prepared or dropped on time.
const EVERY: Duration = Duration::from_mins(10);
/// Time until the next look when one failed.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Prepares and drops days again and again until it is told to stop. Every replica does so.
pub(crate) async fn keep(database: Database, retention: Retention, metrics: Metrics, stop: CancellationToken) {
    let ahead = metrics.gauge(&AUDIT_DAYS_PREPARED, &[]);
    let keeping = async {
        loop {
            let today = Day::of(Timestamp::now());
            let renewed = async {
                ahead.set(prepare(&database, today).await?.into());
                drop_old(&database, retention, today).await
            };
            let pause = match renewed.await {
                Ok(()) => EVERY,
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "the days of the record could not be renewed: {error}");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    stop.run_until_cancelled(Box::pin(keeping)).await;
}

/// Makes the partitions of today and of the week ahead. Gives the number of days, from tomorrow on, that have one.
pub async fn prepare(database: &Database, today: Day) -> sqlx::Result<u32> {
    let mut connection = database.acquire().await?;
    for days in 0..=DAYS_AHEAD {
        store::days::prepare(&mut connection, today.plus(days)).await?;
    }
    let prepared = store::days::prepared(&mut connection).await?;
    let ahead = (1..).take_while(|days| prepared.binary_search(&today.plus(*days)).is_ok());
    Ok(u32::try_from(ahead.count()).unwrap_or(u32::MAX))
}

/// Drops the partitions of days that are not kept any more.
pub async fn drop_old(database: &Database, retention: Retention, today: Day) -> sqlx::Result<()> {
    let prepared = store::days::prepared(&mut *database.acquire().await?).await?;
    let oldest = retention.oldest(today);
    for day in prepared.into_iter().take_while(|day| *day < oldest) {
        let mut transaction = database.begin().await?;
        store::days::wait_shortly(&mut transaction).await?;
        store::days::take_long(&mut transaction).await?;
        let dropped = store::days::drop(&mut transaction, day).await?;
        transaction.commit().await?;
        if dropped {
            tracing::info!(day = %day, "dropped {day}, which is older than the retention");
        }
    }
    Ok(())
}
