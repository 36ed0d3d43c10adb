//! PostgreSQL: our own, or what can be seen of somebody else's.

use super::definition::{Alert, Group, Scope, no_records};
use crate::resolve::{Cluster, NAMESPACE, PlatformKind};
use crate::spec::observability::AlertSeverity::{Critical, Warning};
use catalogue::metrics;

/// PostgreSQL.
pub(super) const GROUP: Group = Group {
    name: "postgres",
    pointer: "/postgres",
    records: no_records,
    alerts: &[
        Alert {
            name: "PostgresInstanceDown",
            hold: "5m",
            severity: Critical,
            summary: "Fewer instances of PostgreSQL are up than there should be.",
            description: "Only {{ $value }} instances are up.",
            expr: |scope| {
                let cluster = scope.env.postgres.cluster.as_ref()?;
                Some(format!(
                    "(sum(cnpg_collector_up{{namespace=\"{NAMESPACE}\",cluster=\"{}\"}}) or vector(0)) < {}",
                    Cluster::NAME,
                    cluster.instances
                ))
            },
        },
        Alert {
            name: "PostgresConnectionsHigh",
            hold: "10m",
            severity: Warning,
            summary: "More than four fifths of the database's connections are in use.",
            description: "{{ $value | humanizePercentage }} of the connections that the database allows are in use.",
            expr: |scope| Some(connections_high(scope)),
        },
        Alert {
            name: "PostgresReplicationLag",
            hold: "5m",
            severity: Warning,
            summary: "A replica of PostgreSQL is more than 30 seconds behind.",
            description: "{{ $labels.pod }} is {{ $value | humanizeDuration }} behind; a failover to it would lose that much.",
            expr: |scope| {
                replicated(scope)?;
                Some(format!(
                    "max by (pod) (cnpg_pg_replication_lag{{namespace=\"{NAMESPACE}\"}}) > 30"
                ))
            },
        },
        Alert {
            name: "PostgresReplicaMissing",
            hold: "10m",
            severity: Warning,
            summary: "The primary streams to fewer replicas than there should be.",
            description: "The primary streams to {{ $value }} replicas.",
            expr: |scope| {
                let replicas = replicated(scope)?;
                Some(format!(
                    "max(cnpg_pg_replication_streaming_replicas{{namespace=\"{NAMESPACE}\"}}) < {replicas}"
                ))
            },
        },
        Alert {
            name: "PostgresVolumeFilling",
            hold: "10m",
            severity: Critical,
            summary: "A volume of PostgreSQL is nearly full: a full one stops the database.",
            description: "{{ $value | humanizePercentage }} of the volume {{ $labels.persistentvolumeclaim }} is left.",
            expr: |scope| {
                scope.env.postgres.cluster.as_ref()?;
                if scope.env.platform.kind == PlatformKind::Minikube {
                    return None;
                }
                let claims = format!("=~\"{}-[0-9]+(-wal)?\"", Cluster::NAME);
                Some(super::capacity::volume_left(NAMESPACE, &claims, "0.15"))
            },
        },
        Alert {
            name: "DatabasePoolExhausted",
            hold: "5m",
            severity: Warning,
            summary: "A service gives up waiting for a database connection.",
            description: "{{ $labels.job }} gives up {{ $value | humanize }} times per second waiting for a connection of its own pool.",
            expr: |_| {
                let timeouts = metrics::DB_POOL_ACQUIRE_TIMEOUTS_TOTAL.name;
                Some(format!("sum by (job) (rate({timeouts}[5m])) > 0"))
            },
        },
    ],
};

/// How many replicas there should be, where there are any.
fn replicated(scope: &Scope<'_>) -> Option<u32> {
    let cluster = scope.env.postgres.cluster.as_ref()?;
    (cluster.instances > 1).then(|| cluster.instances - 1)
}

/// Our own server knows; of somebody else's we know what our pools hold open.
fn connections_high(scope: &Scope<'_>) -> String {
    if scope.env.postgres.cluster.is_some() {
        return format!(
            "max(sum by (pod) (cnpg_backends_total{{namespace=\"{NAMESPACE}\"}}) / on (pod) \
             max by (pod) (cnpg_pg_settings_setting{{namespace=\"{NAMESPACE}\",name=\"max_connections\"}})) > 0.8"
        );
    }
    let open = metrics::DB_POOL_CONNECTIONS.name;
    format!("sum({open}) / {} > 0.8", scope.env.postgres.max_connections)
}
