//! Whether the brokers' volumes hold what their topics keep.

use super::{Diagnostic, Subject, count};
use crate::resolve::{Environment, StrimziBrokers, Topic};
use crate::spec::units::{Bytes, Duration};

/// Share of a volume that events may take, in percent: the rest is for rebalancing, for a file system that slows down
/// as it fills, and for the day on which somebody must act.
const USABLE_PERCENT: u64 = 80;

/// What Kafka keeps for itself on each broker: the metadata log (100 MiB, `metadata.max.retention.bytes`), its
/// snapshots, and the topic of offsets, compacted in segments of 100 MiB.
const OWN: Bytes = Bytes::mi(512);

/// Of ten task events, one makes a reminder: a task is created, changed, completed and deleted, and four tasks in ten
/// have a reminder.
const EVENTS_A_REMINDER: u64 = 10;

/// Of a hundred events, one is given up on: far more than is healthy, and little to keep.
const EVENTS_A_DEAD_LETTER: u64 = 100;

pub(super) fn events_fit(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    let Some(strimzi) = env.kafka.strimzi() else {
        return Vec::new();
    };
    let volume = env.platform.volume(strimzi.volume);
    let usable = Bytes(volume.0 / 100 * USABLE_PERCENT);
    let shares: Vec<(&Topic, Bytes)> = env
        .topics
        .iter()
        .map(|topic| (topic, on_a_broker(env, strimzi, topic)))
        .collect();
    let needed = shares.iter().fold(OWN.0, |sum, (_, bytes)| sum.saturating_add(bytes.0));
    if needed <= usable.0 {
        return Vec::new();
    }
    let message = format!(
        "the events kept need {} on each broker, {USABLE_PERCENT} % of its volume are {}",
        gibibytes(Bytes(needed)),
        gibibytes(usable)
    );
    let mut finding = subject
        .error(304, "/kafka/strimzi/volume", message)
        .label(format!("{volume} on {}", count(strimzi.count, "broker")))
        .reason("a broker whose volume is full stops, and does not start again; its copies follow it one by one")
        .fix(format!(
            "write `volume: {}`, or keep events for less long",
            Bytes::gi(needed.saturating_mul(100).div_ceil(USABLE_PERCENT).div_ceil(1 << 30))
        ));
    if let Some((topic, bytes)) = shares.iter().max_by_key(|(_, bytes)| *bytes) {
        finding = finding.related(
            subject.written.span(&format!("{}/retention", topic.pointer)),
            format!(
                "`{}` alone takes {}, kept for {} and up to {} more until its segment is closed",
                topic.name,
                gibibytes(*bytes),
                topic.retention,
                topic.segment
            ),
        );
    }
    vec![finding]
}

/// Bytes of a topic on one broker. Kafka deletes whole segments: a record stays until the newest beside it is old.
fn on_a_broker(env: &Environment, strimzi: &StrimziBrokers, topic: &Topic) -> Bytes {
    let kept = Duration(topic.retention.0.saturating_add(topic.segment.0));
    let copies = u128::from(env.kafka.replication_factor.min(strimzi.count));
    let bytes = u128::from(env.events_per_second) * u128::from(env.event_size_bytes) * u128::from(kept.0) / 1000
        * copies
        / u128::from(strimzi.count)
        / u128::from(events_a_record(topic));
    Bytes(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// How many task events there are for each record of a topic.
fn events_a_record(topic: &Topic) -> u64 {
    let of = |name: &str| {
        if name == catalogue::topics::TASK_EVENTS {
            1
        } else {
            EVENTS_A_REMINDER
        }
    };
    match &topic.origin {
        Some(origin) => of(origin) * EVENTS_A_DEAD_LETTER,
        None => of(&topic.name),
    }
}

/// One decimal place is enough to compare by.
fn gibibytes(size: Bytes) -> String {
    let tenths = size.0.saturating_mul(10).div_ceil(1 << 30);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}
