//! Carries out replays, step by step.
//!
//! One step is one transaction: it judges the next letters, marks them, and puts their events into the outbox. Whoever
//! dies in the middle leaves nothing of it; whoever dies behind it leaves the relay of any replica to publish, under the
//! same ids. The row of the action is locked meanwhile, so that replicas take turns, and replays come one after another: a
//! key's letters never go back on two ways at once.
//!
//! A replay begins with one letter, and with twice as many each second up to its rate: when the cause is not mended, few
//! have gone before the first come back.

use std::time::Duration;

use catalogue::database::DLQ;
use event_bus::crash_point;
use outbox::Bell;
use service_kit::{database::Database, telemetry::chain};
use sqlx::{Postgres, Transaction};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    desk::{Stepped, step},
    store::{
        actions::{self, TurnRow},
        items, replays,
    },
    telling::Telling,
};

/// Longest time between two looks for a replay that another replica, or a command, has begun.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Time between two steps of a replay.
const STEP_SECONDS: f64 = 1.0;
/// Events that may wait for the relay before the next step waits too.
const MOST_UNPUBLISHED: i64 = 1_000;
/// An event that waits longer shows that nothing can be published.
const PUBLISH_PATIENCE_SECONDS: f64 = 30.0;
/// A replay is stopped when so many letters came back,
const SPIKE_LETTERS: i64 = 5;
/// and they are at least one of so many that went.
const SPIKE_SHARE: i64 = 5;

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("could not take the next step of a replay")]
    Database(#[from] sqlx::Error),
    #[error("could not put events into the outbox")]
    Outbox(#[from] outbox::AppendError),
}

/// What a replay needs.
#[derive(Clone, Debug)]
pub(crate) struct Replayer {
    pub(crate) database: Database,
    pub(crate) bell: Bell,
    pub(crate) telling: Telling,
}

/// Why a replay ends before its last letter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stop {
    reason: &'static str,
    origin: String,
    detail: String,
}

impl Replayer {
    /// Carries out replays until it is told to stop.
    pub(crate) async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let wait = match stop.run_until_cancelled(Box::pin(self.take_step())).await {
                Some(Ok(wait)) => wait,
                Some(Err(error)) => {
                    let error = chain(&error);
                    tracing::warn!(error, "replays wait: {error}");
                    LOOK_EVERY
                }
                None => return,
            };
            let woken = timeout(wait, self.telling.begun.notified());
            // Woken or not: it looks.
            stop.run_until_cancelled(woken).await;
        }
    }

    /// Takes the next step of the oldest replay when its time has come; says how long there is nothing to do.
    async fn take_step(&self) -> Result<Duration, Error> {
        let mut transaction = self.database.begin().await?;
        let Some(turn) = actions::take_turn(&mut transaction).await? else {
            return Ok(LOOK_EVERY);
        };
        if turn.wait_seconds > 0.0 {
            return Ok(Duration::from_secs_f64(turn.wait_seconds.min(LOOK_EVERY.as_secs_f64())));
        }
        let backlog = replays::backlog(&mut transaction).await?;
        let back = replays::came_back(&mut transaction, turn.id).await?;
        let went = items::count(&mut transaction, turn.id, "replayed").await?;
        if let Some(stop) = must_stop(went, back.count, back.origin, backlog.oldest_seconds) {
            return self.end(transaction, &turn, Some(stop)).await;
        }
        if backlog.rows >= MOST_UNPUBLISHED {
            actions::pace(&mut transaction, turn.id, turn.pace, STEP_SECONDS).await?;
            transaction.commit().await?;
            return Ok(LOOK_EVERY);
        }
        let next = items::next(&mut transaction, turn.id, turn.pace.into()).await?;
        if next.is_empty() {
            return self.end(transaction, &turn, None).await;
        }
        let mut done = Vec::new();
        for letter in next {
            done.push(step(&mut transaction, turn.id, letter, turn.again).await?);
        }
        let events: Vec<_> = done.iter().filter_map(|stepped| stepped.event.clone()).collect();
        outbox::append_many(&mut transaction, &DLQ, &events).await?;
        // What did not go back costs nobody anything.
        let went = i32::try_from(events.len()).unwrap_or(i32::MAX);
        let pace = turn.pace.saturating_mul(2).min(turn.rate_per_second);
        let wait = if went == 0 { 0.0 } else { STEP_SECONDS };
        actions::pace(&mut transaction, turn.id, pace, wait).await?;
        crash_point!("dlq.before_step_commit");
        outbox::commit(transaction, &self.bell).await?;
        crash_point!("dlq.after_step_commit");
        self.tell(&done);
        Ok(Duration::ZERO)
    }

    async fn end(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        turn: &TurnRow,
        stop: Option<Stop>,
    ) -> Result<Duration, Error> {
        let (state, detail) = match &stop {
            Some(stop) => ("stopped", Some(stop.detail.as_str())),
            None => ("done", None),
        };
        actions::end(&mut transaction, turn.id, state, detail).await?;
        transaction.commit().await?;
        if let Some(stop) = stop {
            tracing::warn!(action = %turn.id, reason = stop.reason, "a replay was stopped: {}", stop.detail);
            self.telling.failed(&stop.origin, stop.reason);
        }
        Ok(Duration::ZERO)
    }

    fn tell(&self, done: &[Stepped]) {
        for stepped in done.iter().filter(|stepped| !stepped.origin.is_empty()) {
            self.telling.outcome(&stepped.origin, stepped.outcome);
        }
    }
}

/// Whether a replay must end, when so many letters went and so many came back, and the oldest event waits for so long.
fn must_stop(went: i64, back: i64, origin: Option<String>, oldest_seconds: f64) -> Option<Stop> {
    let origin = origin.unwrap_or_else(|| catalogue::topics::TASK_EVENTS.to_owned());
    if back >= SPIKE_LETTERS && back.saturating_mul(SPIKE_SHARE) >= went {
        return Some(Stop {
            reason: "spike",
            origin,
            detail: format!("{back} letters came back of {went} that went: the cause is not mended"),
        });
    }
    (oldest_seconds > PUBLISH_PATIENCE_SECONDS).then(|| Stop {
        reason: "publish",
        origin,
        detail: format!("nothing can be published: an event waits since {oldest_seconds:.0} s, and goes when it can"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(went: i64, back: i64, oldest_seconds: f64) -> Option<&'static str> {
        must_stop(went, back, None, oldest_seconds).map(|stop| stop.reason)
    }

    #[test]
    fn a_replay_stops_when_many_of_its_letters_come_back() {
        assert_eq!(reason(100, 0, 0.0), None);
        assert_eq!(reason(4, 4, 0.0), None, "few say little");
        assert_eq!(reason(5, 5, 0.0), Some("spike"));
        assert_eq!(reason(25, 5, 0.0), Some("spike"));
        assert_eq!(reason(26, 5, 0.0), None, "some may be broken by themselves");
    }

    #[test]
    fn a_replay_stops_when_nothing_can_be_published() {
        assert_eq!(reason(5, 0, 30.0), None);
        assert_eq!(reason(5, 0, 30.5), Some("publish"));
    }
}
