//! One batch of a slot on its way to the broker.

use std::{collections::BTreeMap, error::Error};

use catalogue::{
    metrics::{OUTBOX_PUBLISH_DURATION_SECONDS, OUTBOX_PUBLISH_FAILURES_TOTAL, OUTBOX_PUBLISHED_TOTAL},
    topics,
};
use event_bus::{Outgoing, PublishError, Publisher, crash_point};
use metrics::{Histogram, IntCounter, Metrics};
use tokio::time::Instant;

use super::{
    lanes::{BatchOutcome, Reason},
    session::{Batch, Row},
};
use crate::slot::Slot;

/// The topics that the owner of the outbox publishes to, with their metrics.
#[derive(Clone)]
pub(super) struct Topics(BTreeMap<&'static str, TopicMetrics>);

#[derive(Clone)]
struct TopicMetrics {
    published: IntCounter,
    failures: IntCounter,
    duration_seconds: Histogram,
}

/// What became of a batch.
pub(super) struct Published {
    pub(super) slot: Slot,
    /// What the broker has.
    pub(super) positions: Vec<i64>,
    pub(super) outcome: BatchOutcome,
}

impl Topics {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let published = topics::ALL
            .iter()
            .map(|topic| topic.name)
            .filter(|name| metrics.allows(&OUTBOX_PUBLISHED_TOTAL, "topic", name));
        Self(
            published
                .map(|name| {
                    let of_topic = TopicMetrics {
                        published: metrics.counter(&OUTBOX_PUBLISHED_TOTAL, &[name]),
                        failures: metrics.counter(&OUTBOX_PUBLISH_FAILURES_TOTAL, &[name]),
                        duration_seconds: metrics.histogram(&OUTBOX_PUBLISH_DURATION_SECONDS, &[name]),
                    };
                    (name, of_topic)
                })
                .collect(),
        )
    }
}

/// Publishes a batch and says what became of it. Records whose topic is not one of the owner's are refused.
pub(super) async fn publish(batch: Batch, publisher: Publisher, topics: Topics) -> Published {
    let read_at = Instant::now();
    let mut ended = Published {
        slot: batch.slot,
        positions: Vec::with_capacity(batch.rows.len()),
        outcome: BatchOutcome::default(),
    };
    let mut records = Vec::with_capacity(batch.rows.len());
    let mut rows = Vec::with_capacity(batch.rows.len());
    for row in batch.rows {
        if let Some((topic, metrics)) = topics.0.get_key_value(row.topic.as_str()) {
            rows.push((row.position, row.age, metrics));
            records.push(outgoing(row, topic));
        } else {
            tracing::error!(topic = row.topic, event.id = %row.id, "the outbox has an event for an unknown topic");
            ended.outcome.failed.insert(row.key, Reason::Refused);
        }
    }
    crash_point!("outbox.before_publish");
    let results = publisher.publish(&records).await;
    crash_point!("outbox.after_publish");
    let waited = read_at.elapsed();
    let mut failures = Failures::default();
    for ((record, (position, age, metrics)), result) in records.into_iter().zip(rows).zip(results) {
        match result {
            Ok(()) => {
                metrics.published.inc();
                metrics.duration_seconds.observe((age + waited).as_secs_f64());
                ended.positions.push(position);
            }
            Err(error) => {
                metrics.failures.inc();
                let reason = reason(&error);
                ended.outcome.failed.entry(record.key).or_insert(reason);
                failures.add(error);
            }
        }
    }
    failures.log(ended.slot);
    ended.outcome.progress = !ended.positions.is_empty();
    ended
}

fn outgoing(row: Row, topic: &'static str) -> Outgoing {
    Outgoing {
        topic,
        key: row.key,
        event_id: row.id,
        event_type: row.event_type,
        value: row.payload.into(),
        traceparent: row.traceparent,
    }
}

/// The first failure of a key tells its reason; those behind it follow.
fn reason(error: &PublishError) -> Reason {
    match error {
        PublishError::TooLarge => Reason::Refused,
        _ => Reason::Unacknowledged,
    }
}

/// The failures of a batch: many with one cause, told in one line.
#[derive(Default)]
struct Failures {
    count: usize,
    first: Option<PublishError>,
}

impl Failures {
    fn add(&mut self, error: PublishError) {
        self.count += 1;
        self.first.get_or_insert(error);
    }

    fn log(self, slot: Slot) {
        if let Some(error) = self.first {
            tracing::warn!(
                error = &error as &dyn Error,
                outbox.slot = slot.number(),
                outbox.failures = self.count,
                "events were not published; they are tried again"
            );
        }
    }
}
