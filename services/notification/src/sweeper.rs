//! Looks for reminders that are due, and needs nobody to wake it.
//!
//! Where jobs wake, it leaves each reminder to its job for a moment, and claims what no job has claimed by then.
//!
//! It sleeps until the next planned reminder, and never longer than the period: what another replica has planned, and
//! what a wrong clock hides, is found by then. It asks for everything whose time has passed, not for a window: however
//! long nobody looked, nothing is skipped.

use std::time::Duration;

use catalogue::spans;
use service_kit::telemetry::chain;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, field, info_span};

use crate::{
    claim::{Claims, Error, TOO_LATE},
    plan::State,
    store::reminders::{self, Outlook},
};

/// Reminders that expire in one statement.
const EXPIRE_BATCH: i64 = 1000;
/// Shortest time between two looks, when what is due is locked by somebody else.
const BREATH: Duration = Duration::from_millis(50);

/// When it looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Longest time between two looks.
    pub(crate) period: Duration,
    /// Time after its instant in which a reminder is left to others.
    pub(crate) head_start: Duration,
}

/// Claims what is due until it is told to stop.
pub(crate) async fn sweep(claims: Claims, pace: Pace, stop: CancellationToken) {
    let period = pace.period;
    while !stop.is_cancelled() {
        let wait = match stop.run_until_cancelled(Box::pin(look(&claims, pace.head_start))).await {
            Some(Ok(outlook)) => wait(outlook, period),
            Some(Err(error)) => {
                let error = chain(&error);
                tracing::warn!(error, "reminders that are due wait: {error}");
                period.min(Duration::from_secs(1))
            }
            None => return,
        };
        let woken = timeout(wait, claims.telling.planned.notified());
        // Woken or not: it looks.
        let _woken = stop.run_until_cancelled(woken).await;
    }
}

/// Claims all that is due, and tells what is left and what comes next.
async fn look(claims: &Claims, head_start: Duration) -> Result<Outlook, Error> {
    let late = {
        let mut connection = claims.database.acquire().await?;
        reminders::expire_older_than(&mut connection, TOO_LATE.as_secs_f64(), EXPIRE_BATCH).await?
    };
    if late > 0 {
        tracing::warn!(late, "{late} reminders were found too late and expired");
        claims.telling.entered(State::Expired, late);
    }
    loop {
        let span = info_span!(spans::REMINDER_SWEEP.name, { spans::BATCH_SIZE.key } = field::Empty);
        let claimed = claims.claim_due(head_start).instrument(span.clone()).await?;
        span.record(spans::BATCH_SIZE.key, claimed);
        claims.telling.swept(claimed);
        if claimed == 0 {
            break;
        }
    }
    let mut connection = claims.database.acquire().await?;
    let outlook = reminders::outlook(&mut connection, head_start.as_secs_f64()).await?;
    claims.telling.overdue(outlook.overdue);
    Ok(outlook)
}

fn wait(outlook: Outlook, period: Duration) -> Duration {
    let next = outlook.next_in_seconds.map_or(period, |seconds| {
        Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(period)
    });
    next.clamp(BREATH.min(period), period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sleeps_until_the_next_reminder_and_never_longer_than_its_period() {
        let period = Duration::from_secs(5);
        for (next, expected) in [
            (None, period),
            (Some(3600.0), period),
            (Some(1.5), Duration::from_millis(1500)),
            (Some(-7.0), BREATH),
            (Some(f64::INFINITY), period),
        ] {
            let outlook = Outlook {
                overdue: 0,
                next_in_seconds: next,
            };
            assert_eq!(wait(outlook, period), expected, "{next:?}");
        }
    }
}
