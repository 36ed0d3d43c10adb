//! Takes deliveries to their providers: notes an attempt before each call, and its outcome behind it.
//!
//! Between the two stands the one window in which nobody can know: a process that dies there may have been heard. Its
//! attempt is found when its time is over, counted as in doubt, and repeated with the same id: a reminder that comes twice
//! is better than one that never came.

use std::{panic::resume_unwind, time::Duration};

use catalogue::spans;
use domain::time::Zone;
use event_bus::crash_point;
use jiff::Timestamp;
use service_kit::{database::Database, telemetry::chain};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info_span};
use uuid::Uuid;

use crate::{
    channels::{Answer, CALL_TIME, Providers, Target},
    message::Message,
    plan::State,
    store::{
        channels,
        deliveries::{self, Mark, Taken},
        reminders,
    },
    telling::Telling,
};

/// Calls that are under way at once.
const AT_ONCE: usize = 16;
/// Time after which an attempt without an outcome counts as lost: no call takes so long, nor the mark behind it.
const LEASE: Duration = Duration::from_secs(CALL_TIME.as_secs() + 7);
/// Longest sleep: what another replica has left is found by then.
const PERIOD: Duration = Duration::from_secs(2);
/// Shortest time between two looks.
const BREATH: Duration = Duration::from_millis(50);
/// Time in which an outcome must be written, whatever becomes of the database meanwhile.
const MARK_TIME: Duration = Duration::from_secs(5);

/// Attempts before a delivery is given up.
const ATTEMPTS: i32 = 10;
/// Wait before the second attempt; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// What a courier needs.
#[derive(Clone, Debug)]
pub(crate) struct Courier {
    pub(crate) database: Database,
    pub(crate) providers: Providers,
    pub(crate) telling: Telling,
    /// Where the application is, for links.
    pub(crate) application: Option<String>,
}

impl Courier {
    /// Delivers until it is told to stop; then what is under way is finished. A place that becomes free is filled again at
    /// once, so that a provider that takes its time holds up nobody else.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut calls = JoinSet::new();
        while !stop.is_cancelled() {
            let free = AT_ONCE - calls.len();
            let wait = match self.take(free).await {
                Ok(taken) if taken.is_empty() => self.rest().await,
                Ok(taken) => {
                    for taken in taken {
                        let courier = self.clone();
                        calls.spawn(async move { courier.deliver(taken).await });
                    }
                    Duration::ZERO
                }
                Err(error) => {
                    let error = chain(&error);
                    tracing::warn!(error, "deliveries wait: {error}");
                    PERIOD
                }
            };
            if calls.len() == AT_ONCE {
                ended(calls.join_next().await);
                continue;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                call = calls.join_next(), if !calls.is_empty() => ended(call),
                () = self.telling.dealt.notified() => {}
                () = sleep(wait) => {}
            }
        }
        while let Some(call) = calls.join_next().await {
            ended(Some(call));
        }
    }

    /// Takes what is ready, and notes an attempt of each.
    async fn take(&self, most: usize) -> sqlx::Result<Vec<Taken>> {
        let mut transaction = self.database.begin().await?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let ready = deliveries::lock_ready(&mut transaction, most).await?;
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let in_doubt: Vec<Uuid> = ready.iter().filter(|it| it.in_doubt).map(|it| it.id).collect();
        deliveries::doubt(&mut transaction, &in_doubt).await?;
        let mut ids: Vec<Uuid> = ready.iter().map(|it| it.id).collect();
        let unwanted = deliveries::drop_unwanted(&mut transaction, &ids).await?;
        ids.retain(|id| !unwanted.contains(id));
        let taken = deliveries::take(&mut transaction, &ids, LEASE.as_secs_f64()).await?;
        let mut attempted = 0;
        for it in &taken {
            attempted += u64::from(reminders::attempt(&mut transaction, it.reminder_id, it.generation).await?);
        }
        crash_point!("notification.before_attempt_commit");
        transaction.commit().await?;
        crash_point!("notification.after_attempt_commit");
        self.telling.entered(State::Attempted, attempted);
        for it in &ready {
            if it.in_doubt {
                self.telling.in_doubt(&it.kind);
            }
            if unwanted.contains(&it.id) {
                self.telling.delivery(&it.kind, "suppressed");
            }
        }
        Ok(taken)
    }

    /// How long nothing is to be done.
    async fn rest(&self) -> Duration {
        let next = async { deliveries::next_in_seconds(&mut *self.database.acquire().await?).await };
        let seconds = next.await.ok().flatten().unwrap_or(PERIOD.as_secs_f64());
        let next = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(PERIOD);
        next.clamp(BREATH, PERIOD)
    }

    async fn deliver(&self, taken: Taken) {
        let span = info_span!(
            spans::REMINDER_DELIVER.name,
            otel.kind = "client",
            { spans::TASK_ID.key } = taken.task_id,
            { spans::USER_ID.key } = taken.user_id,
            { spans::REMINDER_ID.key } = %taken.reminder_id,
            { spans::NOTIFICATION_CHANNEL.key } = taken.kind,
            { spans::NOTIFICATION_ATTEMPT.key } = taken.attempt,
        );
        async {
            let answer = self.call(&taken).await;
            crash_point!("notification.after_accept");
            let marked = timeout(MARK_TIME, self.mark(&taken, &answer)).await;
            crash_point!("notification.after_mark");
            let error = match marked {
                Ok(Ok(())) => return,
                Ok(Err(error)) => chain(&error),
                Err(_) => "the database took too long".to_owned(),
            };
            // It is found again when its time is over, and is in doubt then.
            tracing::warn!(error, "the outcome of a delivery could not be written: {error}");
        }
        .instrument(span)
        .await;
    }

    async fn call(&self, taken: &Taken) -> Answer {
        let Ok(target) = serde_json::from_value::<Target>(taken.target.clone()) else {
            return Answer::Failed("the channel leads nowhere".to_owned());
        };
        let message = Message {
            id: taken.id,
            reminder: Some(taken.reminder_id),
            task_id: Some(taken.task_id),
            title: taken.title.clone(),
            due_at: taken.due_at.map(|it| it.0),
            remind_at: taken.remind_at.0,
            sent_at: Timestamp::now(),
            zone: Zone::new(&taken.time_zone).unwrap_or(Zone::UTC),
            application: self.application.clone(),
        };
        crash_point!("notification.before_call");
        let begun = Instant::now();
        let answer = self.providers.send(&target, taken.secret.as_deref(), &message).await;
        self.telling.answered(&taken.kind, begun.elapsed().as_secs_f64());
        answer
    }

    async fn mark(&self, taken: &Taken, answer: &Answer) -> sqlx::Result<()> {
        let wait = wait_after(taken.attempt);
        let (outcome, state, detail) = match (answer, wait) {
            (Answer::Accepted(detail), _) => ("delivered", "delivered", detail),
            (Answer::Retry(detail), Some(_)) => ("retry", "pending", detail),
            (Answer::Retry(detail), None) | (Answer::Failed(detail), _) => ("failed", "failed", detail),
            (Answer::Gone(detail), _) => ("gone", "gone", detail),
        };
        let mut transaction = self.database.begin().await?;
        // Reminders are locked before their deliveries, by everybody.
        reminders::lock(&mut transaction, taken.reminder_id, taken.generation).await?;
        let mark = Mark {
            delivery: taken.id,
            attempt: taken.attempt,
            outcome,
            state,
            detail,
            wait_seconds: wait.unwrap_or_default().as_secs_f64(),
        };
        let mut seen = None;
        let mut expired = false;
        if deliveries::mark(&mut transaction, mark).await? {
            match state {
                "delivered" => seen = reminders::deliver(&mut transaction, taken.reminder_id, taken.generation).await?,
                "gone" => {
                    channels::retire(&mut transaction, taken.channel_id, detail).await?;
                }
                _ => {}
            }
            expired = reminders::expire_undeliverable(&mut transaction, taken.reminder_id, taken.generation).await?;
        }
        crash_point!("notification.before_mark_commit");
        transaction.commit().await?;
        self.telling.delivery(&taken.kind, outcome);
        if let Some((remind_at, delivered_at)) = seen {
            self.telling.seen(remind_at.0, delivered_at.0);
        }
        if expired {
            self.telling.entered(State::Expired, 1);
        }
        Ok(())
    }
}

/// A call that panicked is a bug, and ends the courier with it.
fn ended(call: Option<Result<(), JoinError>>) {
    if let Some(Err(error)) = call
        && let Ok(panic) = error.try_into_panic()
    {
        resume_unwind(panic);
    }
}

/// The wait after this many attempts (from 1), or `None` when no further one is made. Shortened by chance by up to a
/// quarter, so that what failed together does not come back together.
fn wait_after(attempts: i32) -> Option<Duration> {
    (attempts < ATTEMPTS).then(|| {
        let doublings = attempts.saturating_sub(1).clamp(0, 20);
        let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        wait.mul_f64(rand::random_range(0.75..=1.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        for (attempts, seconds) in [(1, 1.0), (2, 2.0), (5, 16.0), (9, 256.0)] {
            let wait = wait_after(attempts).unwrap().as_secs_f64();
            assert!((seconds * 0.75..=seconds).contains(&wait), "{attempts}: {wait}");
        }
        assert_eq!(wait_after(ATTEMPTS), None);
    }

    #[test]
    fn no_call_outlives_its_lease() {
        assert!(CALL_TIME + MARK_TIME < LEASE);
    }
}
