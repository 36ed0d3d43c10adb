//! Consumers: lag, delay, and events that are lost before anybody read them.

use super::definition::{Alert, Group, Scope, no_records};
use crate::resolve::NAMESPACE;
use crate::spec::observability::AlertSeverity::{Critical, Warning};
use catalogue::metrics;
use std::collections::BTreeMap;

/// Lag in seconds of service time that normal operation stays below (the design's goal).
const DELAY_GOAL_SECONDS: u32 = 5;

/// Consumers of Kafka.
pub(super) const GROUP: Group = Group {
    name: "consumers",
    pointer: "/autoscaler",
    records: no_records,
    alerts: &[
        Alert {
            name: "ConsumerLagHigh",
            hold: "5m",
            severity: Warning,
            summary: "A consumer group is further behind than its largest number of pods is meant to carry.",
            description: "Group {{ $labels.consumergroup }} has {{ $value | humanize }} events of {{ $labels.topic }} waiting.",
            expr: lag_high,
        },
        Alert {
            name: "ConsumerDelayHigh",
            hold: "10m",
            severity: Warning,
            summary: "A consumer group needs longer than 5 seconds to catch up with what is waiting.",
            description: "At its present pace group {{ $labels.consumergroup }} needs {{ $value | humanizeDuration }} for what waits in {{ $labels.topic }}.",
            expr: delay_high,
        },
        Alert {
            name: "ConsumerStuck",
            hold: "10m",
            severity: Critical,
            summary: "A consumer group has events waiting and commits nothing.",
            description: "Group {{ $labels.consumergroup }} has {{ $value | humanize }} events of {{ $labels.topic }} waiting and has not moved for 10 minutes.",
            expr: stuck,
        },
        Alert {
            name: "ConsumerLostEvents",
            hold: "",
            severity: Critical,
            summary: "Kafka deleted events before a consumer group had read them.",
            description: "Group {{ $labels.consumergroup }} stands at {{ $value | humanize }} in {{ $labels.topic }}/{{ $labels.partition }}, before the oldest event that is left.",
            expr: lost,
        },
        Alert {
            name: "ConsumerGroupMissing",
            hold: "15m",
            severity: Critical,
            summary: "A consumer runs but its group has no member at the broker.",
            description: "{{ $labels.deployment }} has {{ $value }} pods, yet no consumer group of that name is known to Kafka.",
            expr: group_missing,
        },
        Alert {
            name: "ConsumptionPaused",
            hold: "10m",
            severity: Warning,
            summary: "A service has stopped taking events because something that it needs is away.",
            description: "{{ $labels.job }} has not taken events for 10 minutes; nothing is dead-lettered, everything waits.",
            expr: |scope| {
                let jobs = scope.services(|service| service.entry.consumer_group.is_some())?;
                let paused = metrics::CONSUMPTION_PAUSED.name;
                Some(format!("max by (job) ({paused}{{job=~\"{jobs}\"}}) == 1"))
            },
        },
        Alert {
            name: "EventHandlingRetried",
            hold: "10m",
            severity: Warning,
            summary: "More than a tenth of a service's deliveries fail and are tried again.",
            description: "{{ $value | humanizePercentage }} of the deliveries of {{ $labels.topic }} to {{ $labels.job }} are tried again; after the last retry they become dead letters.",
            expr: |_| {
                let handled = metrics::EVENTS_HANDLED_TOTAL.name;
                Some(format!(
                    "sum by (job, topic) (rate({handled}{{outcome=\"retry\"}}[5m])) / sum by (job, topic) (rate({handled}[5m])) > 0.1"
                ))
            },
        },
    ],
};

/// Per group: what its largest number of pods carries at the autoscaler's own target.
fn lag_high(scope: &Scope<'_>) -> Option<String> {
    let mut groups: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for service in scope.with_shared_group() {
        let group = service.entry.consumer_group?.shared_name()?;
        let most = u64::from(scope.env.autoscaler.lag_per_pod) * u64::from(service.max_replicas);
        groups.entry(most).or_default().push(group);
    }
    let parts: Vec<String> = groups
        .into_iter()
        .filter_map(|(most, groups)| {
            let groups = super::definition::any_of(groups)?;
            Some(format!(
                "max by (consumergroup, topic) (kafka_consumergroup_lag_sum{{consumergroup=~\"{groups}\"}}) > {most}"
            ))
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join(" or "))
}

/// Waiting events over the pace at which they are committed; infinite where nothing moves. `_lag_sum`, because the lag of
/// a partition without a commit is -1.
fn delay_high(scope: &Scope<'_>) -> Option<String> {
    let groups = scope.shared_groups()?;
    Some(format!(
        "max by (consumergroup, topic) (kafka_consumergroup_lag_sum{{consumergroup=~\"{groups}\"}}) / \
         max by (consumergroup, topic) (rate(kafka_consumergroup_current_offset_sum{{consumergroup=~\"{groups}\"}}[5m])) \
         > {DELAY_GOAL_SECONDS}"
    ))
}

fn stuck(scope: &Scope<'_>) -> Option<String> {
    let groups = scope.shared_groups()?;
    Some(format!(
        "max by (consumergroup, topic) (kafka_consumergroup_lag_sum{{consumergroup=~\"{groups}\"}}) > 0 and \
         max by (consumergroup, topic) (changes(kafka_consumergroup_current_offset_sum{{consumergroup=~\"{groups}\"}}[10m])) \
         == 0"
    ))
}

/// An offset below 0 means that nothing was committed, which loses nothing.
fn lost(scope: &Scope<'_>) -> Option<String> {
    let groups = scope.shared_groups()?;
    Some(format!(
        "(max by (consumergroup, topic, partition) (kafka_consumergroup_current_offset{{consumergroup=~\"{groups}\"}}) >= 0) \
         < on (topic, partition) group_left () \
         max by (topic, partition) (kafka_topic_partition_oldest_offset)"
    ))
}

/// Only where pods run and the exporter answers: what is not released yet, and a dead exporter, are other stories.
fn group_missing(scope: &Scope<'_>) -> Option<String> {
    let groups = scope.shared_groups()?;
    Some(format!(
        "max by (deployment) (kube_deployment_status_replicas_available{{namespace=\"{NAMESPACE}\",deployment=~\"{groups}\"}}) > 0 \
         unless on (deployment) \
         label_replace(kafka_consumergroup_members{{consumergroup=~\"{groups}\"}} > 0, \"deployment\", \"$1\", \"consumergroup\", \"(.*)\") \
         and on () kafka_brokers > 0"
    ))
}
