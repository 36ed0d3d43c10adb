//! What happens to one record until its offset may move.

use std::{sync::Arc, time::Duration};

use catalogue::{Service, Subscription};
use metrics::Metrics;
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{ConsumerSettings, dead_letters, group_id, has_own_group, record::Record};
use crate::{
    attempt::{Origin, attempt},
    crash_point,
    dead_letter::DeadLetter,
    handler::{Cause, Outcome, Reason},
    kafka::{client::ClientError, publisher::Publisher},
    meters::{Holds, Meters, TopicMeters},
    retry::RetryPolicy,
    work::Work,
};

/// Pause between two looks whether what was away is back, and between two attempts to write a dead letter.
const HOLD_PAUSE: Duration = Duration::from_secs(1);

/// Time in which the handler must say whether it is available; silence means that it is not.
const AVAILABILITY_TIMEOUT: Duration = Duration::from_secs(5);

/// Settles records: by the handler, or as dead letters.
pub(super) struct Settler<H> {
    handler: Arc<H>,
    app_id: &'static str,
    group: String,
    retry: RetryPolicy,
    /// Whether this replica has the group for itself.
    own_group: bool,
    dead_letters: Publisher,
    running: Semaphore,
    meters: Meters,
    holds: Holds,
}

/// Whether the offset may move.
pub(super) enum Settled {
    /// The effect is there, or the dead letter is.
    Yes,
    /// The worker was asked to stop before that.
    Interrupted,
}

/// The worker was asked to stop.
struct Stopping;

/// What becomes of a record that cannot be applied.
#[derive(Clone, Copy)]
enum LastResort {
    /// It goes to this topic.
    DeadLetter(&'static str),
    /// It is passed over: the group belongs to one replica, whose clients find out from the database.
    Drop,
    /// It stays where it is, and so does everything behind it.
    Hold,
}

impl<H: Work> Settler<H> {
    pub(super) fn new(
        service: &'static Service,
        settings: &ConsumerSettings,
        handler: Arc<H>,
        metrics: &Metrics,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            handler,
            app_id: service.app_id,
            group: group_id(service, settings),
            retry: settings.retry,
            own_group: has_own_group(service),
            dead_letters: Publisher::new(&settings.kafka, metrics)?,
            running: Semaphore::new(settings.concurrency),
            meters: Meters::of(service, metrics),
            holds: Holds::new(metrics),
        })
    }

    /// Handles the record until its offset may move, or until `stopping`. An attempt that has begun is not cut short by
    /// `stopping`: whoever cannot wait for it drops this future.
    pub(super) async fn settle(
        &self,
        record: &Record,
        subscription: &'static Subscription,
        stopping: &CancellationToken,
    ) -> Settled {
        let last_resort = match subscription.dead_letter {
            Some(twin) => LastResort::DeadLetter(twin),
            None if self.own_group => LastResort::Drop,
            None => LastResort::Hold,
        };
        let one = Settling {
            settler: self,
            record,
            topic: subscription.topic,
            last_resort,
            stopping,
            meters: self.meters.topic(subscription.topic),
        };
        one.run()
            .await
            .map_or_else(|Stopping| Settled::Interrupted, |()| Settled::Yes)
    }
}

/// One record on its way.
struct Settling<'a, H> {
    settler: &'a Settler<H>,
    record: &'a Record,
    topic: &'static str,
    last_resort: LastResort,
    stopping: &'a CancellationToken,
    meters: TopicMeters,
}

impl<H: Work> Settling<'_, H> {
    async fn run(&self) -> Result<(), Stopping> {
        let item = match self.settler.handler.read(self.topic, self.record) {
            Ok(item) => item,
            Err(cause) => return self.give_up(&cause, 0).await,
        };
        let mut attempts = 0;
        loop {
            let cause = match self.attempt(&item).await? {
                Outcome::Done { .. } => {
                    self.meters.done.inc();
                    return Ok(());
                }
                Outcome::DeadLetter(cause) => return self.give_up(&cause, attempts + 1).await,
                Outcome::Retry(cause) => cause,
            };
            if cause.reason == Reason::Unavailable || !self.is_available().await {
                self.meters.retried.inc();
                self.hold(&cause).await?;
                continue;
            }
            attempts += 1;
            let Some(wait) = self.wait_after(attempts) else {
                return self.give_up(&cause, attempts).await;
            };
            self.meters.retried.inc();
            self.log(&cause, attempts, "a delivery failed and is tried again");
            self.pause(wait).await?;
        }
    }

    async fn attempt(&self, item: &H::Item) -> Result<Outcome, Stopping> {
        let running = self.stopping.run_until_cancelled(self.settler.running.acquire()).await;
        let _running = running.ok_or(Stopping)?.expect("the semaphore is never closed");
        let origin = Origin {
            group: &self.settler.group,
            partition: self.record.partition,
        };
        crash_point!("consumer.before_effect");
        let timeout = self.settler.retry.attempt_timeout;
        let outcome = attempt(&*self.settler.handler, item, &origin, timeout, &self.meters).await;
        crash_point!("consumer.after_effect");
        Ok(outcome)
    }

    async fn is_available(&self) -> bool {
        timeout(AVAILABILITY_TIMEOUT, self.settler.handler.is_available())
            .await
            .unwrap_or(false)
    }

    /// Waits until what is away is back. The group's membership is kept meanwhile, by the task that serves the group.
    async fn hold(&self, cause: &Cause) -> Result<(), Stopping> {
        let _hold = self.settler.holds.begin();
        self.log(cause, 0, "a delivery is held until what it needs is back");
        loop {
            self.pause(HOLD_PAUSE).await?;
            if self.is_available().await {
                return Ok(());
            }
        }
    }

    /// The wait before the next attempt, if there is one. What has nowhere else to go is tried for ever.
    fn wait_after(&self, attempts: u32) -> Option<Duration> {
        let retry = self.settler.retry;
        match self.last_resort {
            LastResort::Hold => RetryPolicy {
                retries: u32::MAX,
                ..retry
            }
            .wait_after(attempts),
            LastResort::DeadLetter(_) | LastResort::Drop => retry.wait_after(attempts),
        }
    }

    /// Ends when the offset may move.
    async fn give_up(&self, cause: &Cause, attempts: u32) -> Result<(), Stopping> {
        self.meters.given_up.inc();
        match self.last_resort {
            LastResort::DeadLetter(twin) => {
                self.log(cause, attempts, "a record becomes a dead letter");
                self.write_dead_letter(twin, cause, attempts).await
            }
            LastResort::Drop => {
                self.log(cause, attempts, "a record is passed over");
                Ok(())
            }
            LastResort::Hold => {
                let _hold = self.settler.holds.begin();
                self.log(cause, attempts, "a record blocks its partition");
                self.stopping.cancelled().await;
                Err(Stopping)
            }
        }
    }

    /// Ends when the brokers have the dead letter.
    async fn write_dead_letter(&self, twin: &str, cause: &Cause, attempts: u32) -> Result<(), Stopping> {
        let letter = DeadLetter {
            origin_topic: &self.record.topic,
            origin_partition: self.record.partition,
            origin_offset: self.record.offset,
            origin_timestamp: self.record.timestamp,
            cause,
            attempts,
            consumer: self.settler.app_id,
            first_seen: self.record.first_seen,
        };
        let mut hold = None;
        while let Err(error) = dead_letters::publish(&self.settler.dead_letters, twin, self.record, &letter).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                topic = twin,
                "a dead letter was not written and is tried again"
            );
            hold.get_or_insert_with(|| self.settler.holds.begin());
            self.pause(HOLD_PAUSE).await?;
        }
        crash_point!("consumer.after_dead_letter");
        Ok(())
    }

    async fn pause(&self, wait: Duration) -> Result<(), Stopping> {
        self.stopping.run_until_cancelled(sleep(wait)).await.ok_or(Stopping)
    }

    fn log(&self, cause: &Cause, attempts: u32, message: &str) {
        let Record {
            topic,
            partition,
            offset,
            ..
        } = self.record;
        tracing::warn!(
            topic,
            partition,
            offset,
            reason = cause.reason.as_str(),
            attempts,
            "{message}"
        );
    }
}
