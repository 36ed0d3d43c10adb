//! Looking for rows that somebody removed or altered, while others are appended and days are dropped.

mod checker;

use std::time::Duration;

use catalogue::{
    metrics::{AUDIT_CHAIN_FAILURES_TOTAL, AUDIT_CHAIN_VERIFIED_TIMESTAMP_SECONDS},
    spans,
};
use metrics::{IntCounter, Metrics};
use service_kit::{database::Database, telemetry::chain};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, field, info_span};
use uuid::Uuid;

use self::checker::Checker;
pub(crate) use self::checker::Flaw;
use crate::store::{self, rows::Behind};

/// Chains of one batch, which sees one moment.
const BATCH_CHAINS: i64 = 200;
/// Rows that are in memory at once.
const PAGE_ROWS: i64 = 500;
/// Time between the beginnings of two passes over everything. Shorter than the time over which the alert looks, so that
/// it stays for as long as the record is broken.
const EVERY: Duration = Duration::from_hours(4);
/// Time between two looks whether a pass is due.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// What was verified.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verified {
    pub(crate) chains: usize,
    pub(crate) rows: usize,
}

/// Verifies everything, and tells each flaw.
pub(crate) async fn everything(database: &Database, mut found: impl FnMut(Flaw) + Send) -> sqlx::Result<Verified> {
    let (mut verified, mut next) = (Verified::default(), Some(0));
    while let Some(after) = next {
        let (batch, behind) = verify_batch(database, after, &mut found).await?;
        verified.chains += batch.chains;
        verified.rows += batch.rows;
        next = behind;
    }
    Ok(verified)
}

/// Verifies everything every few hours until it is told to stop. Replicas take turns: one is at work, and another goes
/// on where it was when it dies.
pub(crate) async fn keep_verifying(database: Database, metrics: Metrics, stop: CancellationToken) {
    let verified_at = metrics.gauge(&AUDIT_CHAIN_VERIFIED_TIMESTAMP_SECONDS, &[]);
    let failures = metrics.counter(&AUDIT_CHAIN_FAILURES_TOTAL, &[]);
    let replica = Uuid::now_v7();
    let keeping = async {
        loop {
            let looked = async {
                pass_if_due(&database, replica, &failures).await?;
                store::verification::verified_at(&mut *database.acquire().await?).await
            };
            match looked.await {
                Ok(at) => verified_at.set(at.map_or(0.0, |at| at.0.as_duration().as_secs_f64())),
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "the record could not be verified: {error}");
                }
            }
            sleep(LOOK_EVERY).await;
        }
    };
    stop.run_until_cancelled(Box::pin(keeping)).await;
}

async fn pass_if_due(database: &Database, replica: Uuid, failures: &IntCounter) -> sqlx::Result<()> {
    let claimed = store::verification::claim(&mut *database.acquire().await?, replica, EVERY.as_secs_f64()).await?;
    let Some(mut after) = claimed else { return Ok(()) };
    let mut found = |flaw: Flaw| {
        failures.inc_by(flaw.rows());
        tracing::error!(
            task.id = flaw.task_id,
            position = flaw.position,
            "the record is broken: {flaw}"
        );
    };
    loop {
        let begun = Instant::now();
        let (_, behind) = verify_batch(database, after, &mut found).await?;
        let mut connection = database.acquire().await?;
        let Some(behind) = behind else {
            return store::verification::finish(&mut connection, replica).await;
        };
        if !store::verification::advance(&mut connection, replica, behind).await? {
            return Ok(());
        }
        drop(connection);
        after = behind;
        // Half of the time is for others.
        sleep(begun.elapsed()).await;
    }
}

/// Verifies the chains of the next tasks, and says behind which one to go on; `None` at the end.
async fn verify_batch(
    database: &Database,
    after: i64,
    found: &mut (impl FnMut(Flaw) + Send),
) -> sqlx::Result<(Verified, Option<i64>)> {
    let span = info_span!(spans::AUDIT_VERIFY.name, { spans::BATCH_SIZE.key } = field::Empty);
    let verify = async {
        let mut transaction = database.begin().await?;
        store::rows::see_one_moment(&mut transaction).await?;
        let heads = store::chains::heads(&mut transaction, after, BATCH_CHAINS).await?;
        let chains = heads.len();
        span.record(spans::BATCH_SIZE.key, chains);
        let is_full = i64::try_from(chains) == Ok(BATCH_CHAINS);
        let last = heads.last().map(|head| head.task_id).filter(|_| is_full);
        // The last batch looks also at rows that no head knows.
        let through = last.unwrap_or(i64::MAX);
        let anchors = store::chains::anchors(&mut transaction, after, through).await?;
        let mut checker = Checker::new(heads, anchors);
        let mut rows = 0;
        let mut behind = Behind {
            task_id: after,
            position: i64::MAX,
        };
        loop {
            let page = store::rows::up_to(&mut transaction, through, behind, PAGE_ROWS).await?;
            let Some(row) = page.last() else { break };
            behind = Behind {
                task_id: row.task_id,
                position: row.position,
            };
            rows += page.len();
            for row in &page {
                checker.row(row, found);
            }
        }
        checker.finish(found);
        transaction.commit().await?;
        Ok((Verified { chains, rows }, last))
    };
    verify.instrument(span.clone()).await
}
