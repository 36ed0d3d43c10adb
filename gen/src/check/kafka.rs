//! Rules about Kafka: what Kafka itself accepts without a word, and then fails at.

mod emitted;
mod volume;

use super::{Rule, Subject, rule, waivable};
use crate::diagnostic::Diagnostic;
use crate::resolve::Brokers;
use crate::spec::units::{Bytes, Duration};

pub(super) const RULES: &[Rule] = &[
    rule(301, "there are as many brokers as copies", replication_fits_brokers),
    rule(
        302,
        "fewer copies are required than exist",
        min_in_sync_fits_replication,
    ),
    rule(
        303,
        "a dead-letter twin has its origin's partitions",
        twins_are_wide_enough,
    ),
    rule(
        304,
        "events fit on the brokers for as long as they are kept",
        volume::events_fit,
    ),
    rule(305, "an event fits into a record", events_fit_records),
    waivable(
        306,
        "the loss of a controller can be outvoted",
        emitted::controllers_are_odd,
    ),
    waivable(307, "Redpanda can replicate as often as asked", external_copies_are_odd),
    rule(308, "a broker has the memory to start", brokers_have_memory),
    waivable(309, "events outlive a long weekend", events_outlive_a_weekend),
    waivable(
        310,
        "an acknowledged event survives the loss of a broker",
        acknowledged_events_survive,
    ),
    rule(
        311,
        "a group's place is kept for as long as its topic's events",
        emitted::offsets_outlive_events,
    ),
];

/// The least memory that a broker starts with: with 256 MiB it is killed
/// (strimzi/strimzi-kafka-operator:systemtest/src/main/java/io/strimzi/systemtest/templates/crd/KafkaNodePoolTemplates.java@1.2.0).
const LEAST_BROKER_MEMORY: Bytes = Bytes::mi(512);

/// A Friday evening to a Monday morning, and a day to mend what broke.
const LEAST_RETENTION: Duration = Duration::days(3);

/// `1 broker`, `2 brokers`.
fn count(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `1 copy`, `2 copies`.
fn copies_of(number: u32) -> String {
    if number == 1 {
        "1 copy".to_owned()
    } else {
        format!("{number} copies")
    }
}

fn replication_fits_brokers(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let kafka = &subject.env.kafka;
    let Some(strimzi) = kafka.strimzi() else {
        return Vec::new();
    };
    if kafka.replication_factor <= strimzi.count {
        return Vec::new();
    }
    let message = format!(
        "{} copies cannot lie on {}",
        kafka.replication_factor,
        count(strimzi.count, "broker")
    );
    vec![
        subject
            .error(301, "/kafka/strimzi/replicationFactor", message)
            .label(format!("{} copies", kafka.replication_factor))
            .related(
                subject.written.span("/kafka/strimzi/brokers"),
                count(strimzi.count, "broker"),
            )
            .reason("a topic with more copies than brokers is never created; every publish fails")
            .fix(format!("write `replicationFactor: {}`, or more brokers", strimzi.count)),
    ]
}

fn min_in_sync_fits_replication(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let kafka = &subject.env.kafka;
    let Some(strimzi) = kafka.strimzi() else {
        return Vec::new();
    };
    let needed = kafka.min_in_sync;
    let copies = kafka.replication_factor;
    let one_and_only = copies == 1 && needed == 1;
    if needed < copies || one_and_only {
        return Vec::new();
    }
    let message = format!("{needed} of {} must be in sync", copies_of(copies));
    let reason = if needed > copies {
        "no write can ever be acknowledged"
    } else {
        "any restart of one broker stops every producer"
    };
    // Where the copies are not written, there are as many as brokers, up to three.
    let (origin, said) = if subject.written.says("/kafka/strimzi/replicationFactor") {
        ("/kafka/strimzi/replicationFactor", copies_of(copies))
    } else {
        (
            "/kafka/strimzi/brokers",
            format!(
                "{}, so each event has {}",
                count(strimzi.count, "broker"),
                copies_of(copies)
            ),
        )
    };
    vec![
        subject
            .error(302, "/kafka/strimzi/minInSync", message)
            .label(format!("{needed} must be in sync"))
            .related(subject.written.span(origin), said)
            .reason(reason)
            .fix(format!("write `minInSync: {}`", copies.saturating_sub(1).max(1))),
    ]
}

fn twins_are_wide_enough(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let topics = &subject.env.topics;
    topics
        .iter()
        .filter_map(|origin| origin.dead_letter.as_ref().map(|twin| (origin, twin)))
        .filter(|(origin, twin)| twin.partitions < origin.partitions)
        .map(|(origin, twin)| {
            let message = format!(
                "`{}` has {}, its origin `{}` has {}",
                twin.name,
                count(twin.partitions, "partition"),
                origin.name,
                origin.partitions
            );
            subject
                .error(303, &format!("{}/deadLetter/twin/partitions", origin.pointer), message)
                .label("fewer than the origin")
                .related(
                    subject.written.span(&format!("{}/partitions", origin.pointer)),
                    count(origin.partitions, "partition"),
                )
                .reason("a dead letter keeps its partition number: beyond the twin's last one it cannot be published, and the message loops")
                .fix(format!("write at least {}, or leave it out", origin.partitions))
        })
        .collect()
}

fn acknowledged_events_survive(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let kafka = &subject.env.kafka;
    let Brokers::Strimzi(strimzi) = &kafka.brokers else {
        return Vec::new();
    };
    if kafka.min_in_sync >= 2 {
        return Vec::new();
    }
    let written = ["/kafka/strimzi/minInSync", "/kafka/strimzi/replicationFactor"];
    let pointer = written
        .into_iter()
        .filter(|_| strimzi.count > 2)
        .find(|pointer| subject.written.says(pointer))
        .unwrap_or("/kafka/strimzi/brokers");
    let message = format!(
        "an acknowledged event may exist once: {}, {}, {} in sync required",
        count(strimzi.count, "broker"),
        copies_of(kafka.replication_factor),
        kafka.min_in_sync
    );
    let fix = if strimzi.count > 2 {
        "leave out `replicationFactor` and `minInSync`: three copies, two in sync"
    } else {
        "use 3 brokers, or waive TF0310 with the reason why PostgreSQL's outbox is enough here"
    };
    vec![
        subject
            .error(310, pointer, message)
            .warning()
            .reason("the loss of that broker's volume loses events that producers believe safe")
            .fix(fix),
    ]
}

fn events_fit_records(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    let origins = env.topics.iter().filter(|topic| topic.origin.is_none());
    let Some(narrowest) = origins.min_by_key(|topic| topic.max_message_bytes) else {
        return Vec::new();
    };
    let most = Bytes(narrowest.max_message_bytes.into());
    if env.event_size_bytes <= most.0 {
        return Vec::new();
    }
    let message = format!(
        "an event of {} does not fit into a record of `{}`, which holds {most}",
        Bytes(env.event_size_bytes),
        narrowest.name
    );
    vec![
        subject
            .error(305, "/load/eventSize", message)
            .label("larger than any record")
            .reason("the broker refuses such a record however often it is sent; behind it, the outbox stands still")
            .fix(format!("write the size of an ordinary event, at most `{most}`")),
    ]
}

fn external_copies_are_odd(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let kafka = &subject.env.kafka;
    let copies = kafka.replication_factor;
    if kafka.strimzi().is_some() || !copies.is_multiple_of(2) {
        return Vec::new();
    }
    vec![
        subject
            .error(
                307,
                "/kafka/redpandaCloud/replicationFactor",
                format!("{copies} copies are an even number"),
            )
            .label("Redpanda takes 1, 3, 5 or 7")
            .reason(
                "Redpanda creates no topic with an even number of copies: they vote, and an even vote has no majority",
            )
            .fix("leave it out: 3; or waive TF0307 where the brokers are not Redpanda"),
    ]
}

fn brokers_have_memory(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(strimzi) = subject.env.kafka.strimzi() else {
        return Vec::new();
    };
    if strimzi.memory >= LEAST_BROKER_MEMORY {
        return Vec::new();
    }
    vec![
        subject
            .error(
                308,
                "/kafka/strimzi/memory",
                format!("a broker does not start with {}", strimzi.memory),
            )
            .label(format!("half of it is heap, {}", strimzi.heap()))
            .reason("the kernel kills the broker while it starts, again and again, and no topic ever becomes ready")
            .fix(format!("write at least `memory: {LEAST_BROKER_MEMORY}`, better `1Gi`")),
    ]
}

fn events_outlive_a_weekend(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let topics = subject.env.topics.iter();
    topics
        .filter(|topic| topic.retention < LEAST_RETENTION)
        .map(|topic| {
            let key = if topic.origin.is_some() { "twin/retention" } else { "retention" };
            let message = format!("`{}` forgets its events after {}", topic.name, topic.retention);
            subject
                .error(309, &format!("{}/{key}", topic.pointer), message)
                .warning()
                .label(format!("less than {LEAST_RETENTION}"))
                .reason("a consumer that stood still for longer begins at the oldest event left: what lay before is lost to it without a trace")
                .fix(format!("write at least `retention: {LEAST_RETENTION}`, or waive TF0309 with the reason why nobody misses them"))
        })
        .collect()
}
