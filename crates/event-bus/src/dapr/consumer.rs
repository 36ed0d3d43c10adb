//! Consuming: what becomes of each delivery of the sidecar.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use catalogue::{ConsumerGroup, Service, Subscription, metrics::AUTH_FAILURES_TOTAL};
use kafka_settings::{Password, SidecarSettings};
use metrics::{IntCounter, Metrics};
use subtle::ConstantTimeEq as _;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    dead_letters,
    failures::{Failures, Verdict},
    pause::Pause,
    record::Record,
    sidecar::Sidecar,
};
use crate::{
    ConsumeOptions,
    attempt::{Origin, attempt},
    crash_point,
    dead_letter::DeadLetter,
    handler::{Cause, Outcome, Reason},
    meters::{Holds, Meters},
    work::Work,
};

/// Longest time of one attempt: a little less than the sidecar waits (5 s), so that we are the first to call it failed
/// and can say why.
const LONGEST_ATTEMPT: Duration = Duration::from_millis(4_800);
/// Silence after which a sidecar that is stopping has nothing more to deliver.
const QUIET: Duration = Duration::from_millis(500);

/// What the sidecar is told about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is settled.
    Success,
    /// Deliver it again.
    Retry,
    /// Make it a dead letter yourself: we cannot.
    Drop,
}

/// Takes the deliveries of the sidecar.
///
/// Each delivery is one attempt. What fails is answered with [`Answer::Retry`] as often as the
/// [`RetryPolicy`](crate::RetryPolicy) says; the waits in between are the sidecar's. Then, or when trying again cannot
/// help, the record and the last failure become a dead letter. Clones are the same consumer.
pub struct Consumer<H>(pub(super) Arc<Shared<H>>);

impl<H> Clone for Consumer<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

pub(super) struct Shared<H> {
    pub(super) service: &'static Service,
    handler: Arc<H>,
    options: ConsumeOptions,
    group: &'static str,
    sidecar: Sidecar,
    failures: Failures,
    pause: Arc<Pause<H>>,
    running: Semaphore,
    meters: Meters,
    app_token: Password,
    pub(super) forged: IntCounter,
    in_flight: AtomicUsize,
}

/// A delivery that is being dealt with.
pub(super) struct InFlight<'a>(&'a AtomicUsize);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl<H: Work> Consumer<H> {
    /// A consumer for all that the catalogue says of this service. The sidecar need not be reachable yet.
    ///
    /// # Errors
    /// When the client for the sidecar cannot be made.
    ///
    /// # Panics
    /// When the catalogue says that the service consumes nothing, or each replica by itself: a bug.
    pub fn new(
        service: &'static Service,
        settings: &SidecarSettings,
        options: ConsumeOptions,
        handler: Arc<H>,
        metrics: &Metrics,
        stop: CancellationToken,
    ) -> reqwest::Result<Self> {
        let Some(ConsumerGroup::Shared { name: group }) = service.consumer_group else {
            panic!("the sidecar knows no group of {}", service.app_id);
        };
        Ok(Self(Arc::new(Shared {
            service,
            group,
            sidecar: Sidecar::new(settings, service.app_id)?,
            failures: Failures::default(),
            pause: Pause::new(Arc::clone(&handler), Holds::new(metrics), stop),
            running: Semaphore::new(options.concurrency),
            meters: Meters::of(service, metrics),
            app_token: settings.app_token.clone(),
            forged: metrics.counter(&AUTH_FAILURES_TOTAL, &["app_token"]),
            in_flight: AtomicUsize::new(0),
            handler,
            options,
        })))
    }

    /// Waits for `stop`, and then until the sidecar has delivered nothing for a moment and all is answered, at most as
    /// long as the drain takes.
    pub async fn run(self, stop: CancellationToken) {
        stop.cancelled().await;
        let deadline = Instant::now() + self.0.options.drain;
        let mut quiet_since = Instant::now();
        while Instant::now() < deadline && quiet_since.elapsed() < QUIET {
            sleep(QUIET / 10).await;
            if self.0.in_flight.load(SeqCst) > 0 {
                quiet_since = Instant::now();
            }
        }
    }
}

impl<H: Work> Shared<H> {
    /// Whether this is the token that the sidecar was given. How much of it is right cannot be told from the time that
    /// it takes.
    pub(super) fn is_app_token(&self, shown: &[u8]) -> bool {
        shown.ct_eq(self.app_token.0.as_bytes()).into()
    }

    pub(super) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, SeqCst);
        InFlight(&self.in_flight)
    }

    /// Deals with one delivery. May be dropped at any await, when the sidecar has lost its patience.
    pub(super) async fn deliver(self: &Arc<Self>, subscription: &'static Subscription, record: Record) -> Answer {
        match self.failures.seen(&record.place).verdict {
            Verdict::Open => {}
            // The sidecar did not hear our answer.
            Verdict::Written => {
                self.failures.forget(&record.place);
                return Answer::Success;
            }
            Verdict::GivenUp(cause) => return self.write_letter(subscription, record, cause).await,
        }
        let item = match self.handler.read(subscription.topic, &record) {
            Ok(item) => item,
            Err(cause) => return self.give_up(subscription, record, cause).await,
        };
        let meters = self.meters.topic(subscription.topic);
        loop {
            let cause = match self.attempt(subscription.topic, &item, &record).await {
                Outcome::Done { .. } => {
                    meters.done.inc();
                    self.failures.forget(&record.place);
                    crash_point!("consumer.before_ack");
                    return Answer::Success;
                }
                Outcome::DeadLetter(cause) => {
                    self.failures.count(&record.place);
                    return self.give_up(subscription, record, cause).await;
                }
                Outcome::Retry(cause) => cause,
            };
            if cause.reason == Reason::Unavailable || !self.pause.is_available().await {
                meters.retried.inc();
                log(&record, &cause, 0, "a delivery is held until what it needs is back");
                self.pause.begin();
                continue;
            }
            let attempts = self.failures.count(&record.place);
            let ends = subscription.dead_letter.is_some() && attempts > self.options.retry.retries;
            if ends {
                return self.give_up(subscription, record, cause).await;
            }
            meters.retried.inc();
            log(&record, &cause, attempts, "a delivery failed and is tried again");
            return Answer::Retry;
        }
    }

    async fn attempt(&self, topic: &str, item: &H::Item, record: &Record) -> Outcome {
        self.pause.over().await;
        let _running = self.running.acquire().await.expect("the semaphore is never closed");
        let origin = Origin {
            group: self.group,
            partition: record.place.partition,
        };
        let longest = self.options.retry.attempt_timeout.min(LONGEST_ATTEMPT);
        let meters = self.meters.topic(topic);
        crash_point!("consumer.before_effect");
        let outcome = attempt(&*self.handler, item, &origin, longest, &meters).await;
        crash_point!("consumer.after_effect");
        outcome
    }

    async fn give_up(self: &Arc<Self>, subscription: &'static Subscription, record: Record, cause: Cause) -> Answer {
        let attempts = self.failures.seen(&record.place).attempts;
        self.meters.topic(subscription.topic).given_up.inc();
        if subscription.dead_letter.is_none() {
            log(&record, &cause, attempts, "a record blocks its partition");
            return Answer::Retry;
        }
        log(&record, &cause, attempts, "a record becomes a dead letter");
        self.failures.decide(&record.place, Verdict::GivenUp(cause.clone()));
        self.write_letter(subscription, record, cause).await
    }

    /// Writes the dead letter. Not in the request, which may end in the middle: then the letter is written all the
    /// same, and the next delivery finds it done.
    async fn write_letter(
        self: &Arc<Self>,
        subscription: &'static Subscription,
        record: Record,
        cause: Cause,
    ) -> Answer {
        let this = Arc::clone(self);
        let writing = tokio::spawn(async move {
            let twin = subscription.dead_letter.expect("only what has a twin is given up");
            let failure = this.failures.seen(&record.place);
            let letter = DeadLetter {
                origin_topic: &record.place.topic,
                origin_partition: record.place.partition,
                origin_offset: record.place.offset,
                origin_timestamp: record.timestamp,
                cause: &cause,
                attempts: failure.attempts,
                consumer: this.service.app_id,
                first_seen: failure.first_seen,
            };
            match dead_letters::publish(&this.sidecar, twin, &record, &letter).await {
                Ok(()) => {
                    crash_point!("consumer.after_dead_letter");
                    this.failures.decide(&record.place, Verdict::Written);
                    (Answer::Success, record)
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, topic = twin, "a dead letter was not written and is tried again");
                    (Answer::Retry, record)
                }
            }
        });
        match writing.await {
            Ok((Answer::Success, record)) => {
                self.failures.forget(&record.place);
                Answer::Success
            }
            Ok((answer, _)) => answer,
            Err(_panicked) => Answer::Drop,
        }
    }
}

fn log(record: &Record, cause: &Cause, attempts: u32, message: &str) {
    let place = &record.place;
    tracing::warn!(
        topic = place.topic,
        partition = place.partition,
        offset = place.offset,
        reason = cause.reason.as_str(),
        attempts,
        "{message}"
    );
}
