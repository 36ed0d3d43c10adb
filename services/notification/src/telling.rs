//! What is counted of reminders and deliveries, begun at zero.

use std::sync::Arc;

use catalogue::metrics::{
    NOTIFICATION_ATTEMPTS_IN_DOUBT_TOTAL, NOTIFICATION_DELIVERIES_TOTAL, NOTIFICATION_DELIVERY_DURATION_SECONDS,
    REMINDER_JOBS_TOTAL, REMINDER_LATENESS_SECONDS, REMINDER_TRANSITIONS_TOTAL, REMINDERS_OVERDUE,
    REMINDERS_SWEPT_TOTAL,
};
use jiff::Timestamp;
use metrics::Metrics;
use tokio::sync::Notify;

use crate::{
    jobs::{JobChange, Lanes},
    plan::State,
};

/// What the parts of the service tell each other and the world. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    metrics: Metrics,
    /// Something was planned: it may be due before the sweeper meant to look.
    pub(crate) planned: Arc<Notify>,
    /// Something is to be delivered.
    pub(crate) dealt: Arc<Notify>,
    /// Jobs to be scheduled or deleted, where there is a scheduler.
    jobs: Option<Lanes>,
}

impl Telling {
    pub(crate) fn new(metrics: &Metrics, jobs: Option<Lanes>) -> Self {
        Self {
            metrics: metrics.clone(),
            planned: Arc::default(),
            dealt: Arc::default(),
            jobs,
        }
    }

    /// A job is to be scheduled or deleted. When too many wait it is not: the sweeper needs none.
    pub(crate) fn job_changes(&self, change: JobChange) {
        if let Some(jobs) = &self.jobs
            && !jobs.take(change)
        {
            self.job("schedule_failed");
        }
    }

    /// What happened to a job: `deleted`, `fired`, `schedule_failed`, `scheduled`, `stale` or `unknown`.
    pub(crate) fn job(&self, outcome: &str) {
        self.metrics.counter(&REMINDER_JOBS_TOTAL, &[outcome]).inc();
    }

    /// So many reminders entered a state.
    pub(crate) fn entered(&self, state: State, count: u64) {
        let transitions = self.metrics.counter(&REMINDER_TRANSITIONS_TOTAL, &[state.as_str()]);
        transitions.inc_by(count);
    }

    /// A reminder was seen for the first time.
    pub(crate) fn seen(&self, remind_at: Timestamp, delivered_at: Timestamp) {
        let late = delivered_at.duration_since(remind_at).as_secs_f64().max(0.0);
        self.metrics.histogram(&REMINDER_LATENESS_SECONDS, &[]).observe(late);
        self.entered(State::Delivered, 1);
    }

    /// The sweeper claimed so many.
    pub(crate) fn swept(&self, count: u64) {
        self.metrics.counter(&REMINDERS_SWEPT_TOTAL, &[]).inc_by(count);
    }

    /// So many are overdue now.
    #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
    pub(crate) fn overdue(&self, count: i64) {
        self.metrics.gauge(&REMINDERS_OVERDUE, &[]).set(count as f64);
    }

    /// What became of a delivery or an attempt: `delivered`, `failed`, `gone`, `retry` or `suppressed`.
    pub(crate) fn delivery(&self, kind: &str, outcome: &str) {
        self.metrics
            .counter(&NOTIFICATION_DELIVERIES_TOTAL, &[kind, outcome])
            .inc();
    }

    /// A provider took so long to answer.
    pub(crate) fn answered(&self, kind: &str, seconds: f64) {
        self.metrics
            .histogram(&NOTIFICATION_DELIVERY_DURATION_SECONDS, &[kind])
            .observe(seconds);
    }

    /// An attempt was found whose outcome nobody knows.
    pub(crate) fn in_doubt(&self, kind: &str) {
        self.metrics
            .counter(&NOTIFICATION_ATTEMPTS_IN_DOUBT_TOTAL, &[kind])
            .inc();
    }
}
