//! Rules about Kafka: what Kafka itself accepts without a word, and then fails at.

use super::{Rule, Subject, rule, waivable};
use crate::diagnostic::Diagnostic;
use crate::resolve::Brokers;

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
    waivable(
        310,
        "an acknowledged event survives the loss of a broker",
        acknowledged_events_survive,
    ),
];

fn replication_fits_brokers(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let kafka = &subject.env.kafka;
    let Some(strimzi) = kafka.strimzi() else {
        return Vec::new();
    };
    if kafka.replication_factor <= strimzi.count {
        return Vec::new();
    }
    let message = format!(
        "{} copies cannot lie on {} broker(s)",
        kafka.replication_factor, strimzi.count
    );
    vec![
        subject
            .error(301, "/kafka/strimzi/replicationFactor", message)
            .label(format!("{} copies", kafka.replication_factor))
            .related(
                subject.written.span("/kafka/strimzi/brokers"),
                format!("{} broker(s)", strimzi.count),
            )
            .reason("a topic with more copies than brokers is never created; every publish fails")
            .fix(format!("write `replicationFactor: {}`, or more brokers", strimzi.count)),
    ]
}

fn min_in_sync_fits_replication(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let kafka = &subject.env.kafka;
    let needed = kafka.min_in_sync;
    let copies = kafka.replication_factor;
    let one_and_only = copies == 1 && needed == 1;
    if needed < copies || one_and_only || kafka.strimzi().is_none() {
        return Vec::new();
    }
    let message = format!("{needed} of {copies} copies must be in sync");
    let reason = if needed > copies {
        "no write can ever be acknowledged"
    } else {
        "any restart of one broker stops every producer"
    };
    vec![
        subject
            .error(302, "/kafka/strimzi/minInSync", message)
            .label(format!("{needed} must be in sync"))
            .related(
                subject.written.span("/kafka/strimzi/replicationFactor"),
                format!("{copies} copies"),
            )
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
                "`{}` has {} partitions, its origin `{}` has {}",
                twin.name, twin.partitions, origin.name, origin.partitions
            );
            subject
                .error(303, &format!("{}/deadLetter/twin/partitions", origin.pointer), message)
                .label("fewer than the origin")
                .related(
                    subject.written.span(&format!("{}/partitions", origin.pointer)),
                    format!("{} partitions", origin.partitions),
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
    let pointer = if strimzi.count == 1 {
        "/kafka/strimzi/brokers"
    } else {
        "/kafka/strimzi/replicationFactor"
    };
    let message = format!(
        "an acknowledged event may exist once: {} broker(s), {} copies, {} in sync required",
        strimzi.count, kafka.replication_factor, kafka.min_in_sync
    );
    vec![
        subject
            .error(310, pointer, message)
            .warning()
            .reason("the loss of that broker's volume loses events that producers believe safe")
            .fix("use 3 brokers, or waive TF0310 with the reason why PostgreSQL's outbox is enough here"),
    ]
}
