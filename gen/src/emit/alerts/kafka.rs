//! Kafka: brokers, copies, volumes.

use super::definition::{Alert, Group, Scope, any_of, no_records};
use crate::resolve::{Kafka, NAMESPACE, PlatformKind};
use crate::spec::observability::AlertSeverity::{Critical, Warning};

/// Kafka.
pub(super) const GROUP: Group = Group {
    name: "kafka",
    pointer: "/kafka",
    records: no_records,
    alerts: &[
        Alert {
            name: "KafkaBrokerDown",
            hold: "5m",
            severity: Critical,
            summary: "Fewer Kafka brokers answer than there should be.",
            description: "Only {{ $value }} brokers answer.",
            expr: |scope| Some(broker_down(scope)),
        },
        Alert {
            name: "KafkaUnderReplicated",
            hold: "10m",
            severity: Warning,
            summary: "Partitions have fewer copies in sync than they should have.",
            description: "{{ $value }} partitions of {{ $labels.topic }} have fewer copies in sync than they should have.",
            expr: |scope| {
                (scope.env.kafka.replication_factor > 1)
                    .then(|| "sum by (topic) (kafka_topic_partition_under_replicated_partition) > 0".to_owned())
            },
        },
        Alert {
            name: "KafkaBelowMinInSync",
            hold: "1m",
            severity: Critical,
            summary: "Partitions have too few copies in sync to take writes.",
            description: "{{ $value }} partitions refuse every publish; outboxes fill.",
            expr: |scope| {
                of_strimzi(scope)?;
                Some("sum(kafka_server_replicamanager_underminisrpartitioncount) > 0".to_owned())
            },
        },
        Alert {
            name: "KafkaOfflinePartitions",
            hold: "1m",
            severity: Critical,
            summary: "Partitions have no leader: nobody can read or write them.",
            description: "{{ $value }} partitions have no leader.",
            // Every controller knows the same number.
            expr: |scope| {
                of_strimzi(scope)?;
                Some("max(kafka_controller_kafkacontroller_offlinepartitionscount) > 0".to_owned())
            },
        },
        Alert {
            name: "KafkaNoController",
            hold: "5m",
            severity: Critical,
            summary: "Kafka has no single active controller.",
            description: "{{ $value }} controllers say that they are the active one; it should be 1.",
            expr: |scope| {
                of_strimzi(scope)?;
                Some("sum(kafka_controller_kafkacontroller_activecontrollercount) != 1".to_owned())
            },
        },
        Alert {
            name: "KafkaVolumeFilling",
            hold: "10m",
            severity: Critical,
            summary: "A broker's volume is nearly full: a full one stops the broker.",
            description: "{{ $value | humanizePercentage }} of the volume {{ $labels.persistentvolumeclaim }} is left.",
            expr: volume_filling,
        },
        Alert {
            name: "KafkaExporterMissing",
            hold: "10m",
            severity: Warning,
            summary: "Nobody measures the lag of consumers.",
            description: "kafka-exporter has exported nothing for 10 minutes ({{ $value }}); every alert on lag is blind.",
            expr: |_| Some("absent(kafka_brokers)".to_owned()),
        },
    ],
};

fn of_strimzi<'a>(scope: &'a Scope<'_>) -> Option<&'a crate::resolve::StrimziBrokers> {
    scope.env.kafka.strimzi()
}

/// A broker of our own is scraped; how many an outside cluster has is known from its copies at the least.
fn broker_down(scope: &Scope<'_>) -> String {
    let Some(strimzi) = of_strimzi(scope) else {
        return format!("max(kafka_brokers) < {}", scope.env.kafka.replication_factor);
    };
    let brokers: u64 = scope.broker_pools.iter().map(|(_, replicas)| replicas).sum();
    let brokers = if brokers == 0 {
        u64::from(strimzi.count)
    } else {
        brokers
    };
    format!(
        "(sum(up{{namespace=\"{NAMESPACE}\",job=\"kafka\",pod=~\"{}-({})-[0-9]+\"}}) or vector(0)) < {brokers}",
        Kafka::CLUSTER,
        pools(scope)
    )
}

/// minikube's host paths report no sizes.
fn volume_filling(scope: &Scope<'_>) -> Option<String> {
    of_strimzi(scope)?;
    if scope.env.platform.kind == PlatformKind::Minikube {
        return None;
    }
    let claims = format!("data(-[0-9]+)?-{}-({})-[0-9]+", Kafka::CLUSTER, pools(scope));
    Some(super::capacity::volume_left(
        NAMESPACE,
        &format!("=~\"{claims}\""),
        "0.15",
    ))
}

/// Pods are named `<cluster>-<pool>-<number>`, whatever the pools are called.
fn pools(scope: &Scope<'_>) -> String {
    any_of(scope.broker_pools.iter().map(|(name, _)| name.as_str())).unwrap_or_else(|| "[a-z0-9-]+".to_owned())
}
