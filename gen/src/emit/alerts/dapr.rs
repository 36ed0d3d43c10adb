//! Dapr: sidecars, their policies, the control plane. A series appears with its first event, already at 1.

use super::definition::{Alert, Group, Scope, events, no_records};
use crate::resolve::NAMESPACE;
use crate::spec::observability::AlertSeverity::{Critical, Warning};

/// Sidecars and control plane.
pub(super) const GROUP: Group = Group {
    name: "dapr",
    pointer: "/dapr",
    records: no_records,
    alerts: &[
        Alert {
            name: "DaprBreakerOpened",
            hold: "",
            severity: Warning,
            summary: "A circuit breaker opened: calls to its target fail at once.",
            description: "The breaker of {{ $labels.app_id }} towards {{ $labels.target }} opened within 5 minutes.",
            expr: |scope| {
                let opened = "dapr_resiliency_activations_total{policy=\"circuitbreaker\",status=\"open\"}";
                with_dapr(scope, &events(opened, "5m", "app_id, target"))
            },
        },
        Alert {
            name: "DaprDeadLettered",
            hold: "",
            severity: Warning,
            summary: "A sidecar gave up on events and dead-lettered them.",
            description: "The sidecar of {{ $labels.app_id }} dead-lettered {{ $value | humanize }} events of {{ $labels.topic }} within 10 minutes.",
            // `drop` with status `success` is what the service itself asked to drop.
            expr: |scope| {
                let dropped = "dapr_component_pubsub_ingress_count{process_status=\"drop\",status=\"drop\"}";
                with_dapr(scope, &events(dropped, "10m", "app_id, topic"))
            },
        },
        Alert {
            name: "DaprPublishFailing",
            hold: "2m",
            severity: Warning,
            summary: "A sidecar keeps failing to publish.",
            description: "{{ $value | humanize }} publishes of {{ $labels.app_id }} to {{ $labels.topic }} fail per second; the outbox keeps the events.",
            expr: |scope| {
                with_dapr(
                    scope,
                    "sum by (app_id, topic) (rate(dapr_component_pubsub_egress_count{success=\"false\"}[5m])) > 0",
                )
            },
        },
        Alert {
            name: "DaprPublishSlow",
            hold: "10m",
            severity: Warning,
            summary: "One publish in a hundred takes longer than half a second.",
            description: "The 99th percentile of publishes of {{ $labels.app_id }} is {{ $value | humanize }} ms.",
            // Dapr's latencies are in milliseconds.
            expr: |scope| {
                with_dapr(
                    scope,
                    "histogram_quantile(0.99, sum by (app_id, le) (rate(dapr_component_pubsub_egress_latencies_bucket[5m]))) > 500",
                )
            },
        },
        Alert {
            name: "DaprComponentInitFailed",
            hold: "",
            severity: Critical,
            summary: "A sidecar could not start a component.",
            description: "The sidecar of {{ $labels.app_id }} could not start {{ $labels.component }}: {{ $labels.reason }}.",
            expr: |scope| {
                let failed = "dapr_runtime_component_init_fail_total";
                with_dapr(scope, &events(failed, "10m", "app_id, component, reason"))
            },
        },
        Alert {
            name: "DaprSidecarMissing",
            hold: "10m",
            severity: Critical,
            summary: "A pod that needs a sidecar runs without one.",
            description: "{{ $labels.pod }} is ready but Prometheus knows no sidecar in it; the injector lets pods pass when it is away.",
            expr: sidecar_missing,
        },
        Alert {
            name: "DaprCertificateExpiring",
            hold: "1h",
            severity: Critical,
            summary: "The certificate that signs the identity of every sidecar expires within 30 days.",
            description: "Sentry's issuer certificate expires in {{ $value | humanizeDuration }}; after that no sidecar reaches another.",
            expr: |scope| {
                with_dapr(
                    scope,
                    "min(dapr_sentry_issuercert_expiry_timestamp) - time() < 30 * 86400",
                )
            },
        },
    ],
};

/// The Scheduler, which keeps jobs. A service without it is late, not wrong: the sweeper works on.
pub(super) const SCHEDULER: Group = Group {
    name: "scheduler",
    pointer: "/dapr",
    records: no_records,
    alerts: &[
        Alert {
            name: "SchedulerQuorumLost",
            hold: "5m",
            severity: Critical,
            summary: "Fewer than half of the Scheduler's pods are ready: no job fires.",
            description: "Only {{ $value }} Scheduler pods are ready; reminders come from the sweeper until that ends.",
            expr: |scope| {
                let scheduler = "{namespace=\"dapr-system\",statefulset=\"dapr-scheduler-server\"}";
                with_dapr(
                    scope,
                    &format!(
                        "max(kube_statefulset_status_replicas_ready{scheduler}) <= max(kube_statefulset_replicas{scheduler}) / 2"
                    ),
                )
            },
        },
        Alert {
            name: "SchedulerMemberDown",
            hold: "15m",
            severity: Warning,
            summary: "A Scheduler pod has not been ready for a while: the next one that stops takes the quorum with it.",
            description: "{{ $value }} Scheduler pods are missing.",
            expr: |scope| {
                let scheduler = "{namespace=\"dapr-system\",statefulset=\"dapr-scheduler-server\"}";
                with_dapr(
                    scope,
                    &format!(
                        "max(kube_statefulset_replicas{scheduler}) - max(kube_statefulset_status_replicas_ready{scheduler}) > 0"
                    ),
                )
            },
        },
        Alert {
            name: "SchedulerWithoutLeader",
            hold: "2m",
            severity: Critical,
            summary: "A Scheduler pod sees no leader: it neither stores nor fires jobs.",
            description: "{{ $labels.pod }} has seen no etcd leader for 2 minutes.",
            expr: |scope| {
                with_dapr(
                    scope,
                    "min by (pod) (etcd_server_has_leader{namespace=\"dapr-system\"}) == 0",
                )
            },
        },
        Alert {
            name: "SchedulerNoSidecars",
            hold: "10m",
            severity: Critical,
            summary: "No sidecar is connected to the Scheduler although a service that schedules jobs runs.",
            description: "The Scheduler counts {{ $value }} sidecars; jobs are stored and never delivered.",
            expr: |scope| {
                let owners = scope.services(|service| service.uses_dapr() && !service.entry.job_prefixes.is_empty())?;
                with_dapr(
                    scope,
                    &format!(
                        "(sum(dapr_scheduler_sidecars_connected) or vector(0)) == 0 and on () \
                         kube_deployment_status_replicas_available{{namespace=\"{NAMESPACE}\",deployment=~\"{owners}\"}} > 0"
                    ),
                )
            },
        },
        Alert {
            name: "SchedulerJobsFailing",
            hold: "5m",
            severity: Warning,
            summary: "Jobs are delivered and refused.",
            description: "{{ $value | humanize }} jobs fail per second; the sweeper sends what they should have sent.",
            expr: |scope| {
                with_dapr(
                    scope,
                    "sum(rate(dapr_scheduler_jobs_failed_total{type=\"job\"}[5m])) > 0",
                )
            },
        },
        Alert {
            name: "SchedulerJobsUndelivered",
            hold: "",
            severity: Warning,
            summary: "Jobs came due and no sidecar was there to take them.",
            description: "{{ $value | humanize }} jobs of type {{ $labels.type }} found no sidecar within 10 minutes.",
            expr: |scope| {
                let undelivered = "dapr_scheduler_jobs_undelivered_total{type=\"job\"}";
                with_dapr(scope, &events(undelivered, "10m", "type"))
            },
        },
    ],
};

fn with_dapr(scope: &Scope<'_>, expr: &str) -> Option<String> {
    scope.env.dapr.as_ref().map(|_| expr.to_owned())
}

/// `up` is there for every pod that has the sidecar's port, whatever its value.
fn sidecar_missing(scope: &Scope<'_>) -> Option<String> {
    let services = scope.services(crate::resolve::Service::uses_dapr)?;
    with_dapr(
        scope,
        &format!(
            "max by (pod) (kube_pod_status_ready{{namespace=\"{NAMESPACE}\",condition=\"true\",pod=~\"({services})-[a-z0-9]+-[a-z0-9]+\"}}) == 1 \
             unless on (pod) up{{namespace=\"{NAMESPACE}\",job=\"{}\"}}",
            super::super::monitors::SIDECAR_JOB
        ),
    )
}
