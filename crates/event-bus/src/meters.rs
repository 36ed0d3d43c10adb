//! What consumption is measured by, looked up once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use catalogue::{
    Service,
    metrics::{
        CONSUMPTION_PAUSED, EVENT_DELIVERY_DELAY_SECONDS, EVENT_HANDLING_DURATION_SECONDS, EVENTS_HANDLED_TOTAL,
        INBOX_DUPLICATES_TOTAL,
    },
};
use metrics::{Gauge, Histogram, IntCounter, Metrics};

/// The metrics of each topic that a service consumes.
pub(crate) struct Meters(BTreeMap<&'static str, TopicMeters>);

/// The metrics of one topic.
#[derive(Clone)]
pub(crate) struct TopicMeters {
    pub(crate) done: IntCounter,
    pub(crate) retried: IntCounter,
    pub(crate) given_up: IntCounter,
    pub(crate) handling_seconds: Histogram,
    pub(crate) delay_seconds: Histogram,
    /// Of services with an inbox.
    pub(crate) duplicates: Option<IntCounter>,
}

impl Meters {
    pub(crate) fn of(service: &Service, metrics: &Metrics) -> Self {
        let of_topic = |topic| TopicMeters {
            done: metrics.counter(&EVENTS_HANDLED_TOTAL, &[topic, "done"]),
            retried: metrics.counter(&EVENTS_HANDLED_TOTAL, &[topic, "retry"]),
            given_up: metrics.counter(&EVENTS_HANDLED_TOTAL, &[topic, "dead_letter"]),
            handling_seconds: metrics.histogram(&EVENT_HANDLING_DURATION_SECONDS, &[topic]),
            delay_seconds: metrics.histogram(&EVENT_DELIVERY_DELAY_SECONDS, &[topic]),
            duplicates: metrics
                .exports(&INBOX_DUPLICATES_TOTAL)
                .then(|| metrics.counter(&INBOX_DUPLICATES_TOTAL, &[topic])),
        };
        Self(service.reads_topics().map(|topic| (topic, of_topic(topic))).collect())
    }

    pub(crate) fn topic(&self, topic: &str) -> TopicMeters {
        self.0.get(topic).expect("only consumed topics are measured").clone()
    }
}

/// How many deliveries are held; while there is one, the service counts as paused.
#[derive(Clone)]
pub(crate) struct Holds(Arc<(Mutex<usize>, Gauge)>);

/// One delivery that is held, until this is dropped.
pub(crate) struct Hold(Holds);

impl Holds {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self(Arc::new((Mutex::new(0), metrics.gauge(&CONSUMPTION_PAUSED, &[]))))
    }

    pub(crate) fn begin(&self) -> Hold {
        self.change(|held| held + 1);
        Hold(self.clone())
    }

    fn change(&self, change: impl FnOnce(usize) -> usize) {
        let (held, paused) = &*self.0;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = change(*held);
        paused.set(if *held > 0 { 1.0 } else { 0.0 });
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.change(|held| held - 1);
    }
}
