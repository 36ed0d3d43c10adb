//! Collectors, Zipkin and the retention of traces.

use super::definition::{Alert, Group, Scope, no_records};
use crate::emit::tracing::{COLLECTOR, RETENTION, SAMPLER, ZIPKIN};
use crate::resolve::{OBSERVABILITY, TraceStore};
use crate::spec::observability::AlertSeverity::Warning;

/// Tracing.
pub(super) const GROUP: Group = Group {
    name: "tracing",
    pointer: "/tracing",
    records: no_records,
    alerts: &[
        Alert {
            name: "TracesDroppedTooEarly",
            hold: "10m",
            severity: Warning,
            summary: "The collector forgets traces before it has decided about them.",
            description: "{{ $value | humanize }} traces per second fall out of the memory of {{ $labels.pod }} undecided, errors among them.",
            expr: |_| {
                let dropped = "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early";
                Some(format!("sum by (pod) (rate({dropped}[5m])) > 0"))
            },
        },
        Alert {
            name: "SpansNotExported",
            hold: "10m",
            severity: Warning,
            summary: "A collector loses spans because it cannot pass them on.",
            description: "{{ $labels.pod }} loses {{ $value | humanize }} spans per second at its exporter {{ $labels.exporter }}.",
            expr: |_| {
                Some(
                    "sum by (pod, exporter) (rate(otelcol_exporter_send_failed_spans[5m])) > 0 or \
                     sum by (pod, exporter) (rate(otelcol_exporter_enqueue_failed_spans[5m])) > 0"
                        .to_owned(),
                )
            },
        },
        Alert {
            name: "SpansRefused",
            hold: "10m",
            severity: Warning,
            summary: "A collector refuses spans because its memory is full.",
            description: "{{ $labels.pod }} refuses {{ $value | humanize }} spans per second.",
            expr: |_| Some("sum by (pod) (rate(otelcol_processor_memory_limiter_refused_spans[5m])) > 0".to_owned()),
        },
        Alert {
            name: "CollectorDown",
            hold: "10m",
            severity: Warning,
            summary: "No collector takes spans.",
            description: "{{ $value }} collectors of one tier are ready in {{ $labels.namespace }}; traces are lost.",
            expr: |scope| Some(collector_down(scope)),
        },
        Alert {
            name: "SamplerBackendsMissing",
            hold: "10m",
            severity: Warning,
            summary: "A balancing collector knows fewer samplers than there are.",
            description: "{{ $labels.pod }} knows {{ $value }} samplers; traces are torn apart while collectors disagree.",
            expr: |scope| {
                let tracing = &scope.env.tracing;
                (tracing.balancers > 0).then(|| {
                    format!(
                        "min by (pod) (otelcol_loadbalancer_num_backends) < {}",
                        tracing.samplers
                    )
                })
            },
        },
        Alert {
            name: "ZipkinDown",
            hold: "10m",
            severity: Warning,
            summary: "Zipkin is not ready: traces can be neither stored nor looked at.",
            description: "{{ $labels.deployment }} has {{ $value }} ready pods.",
            expr: |_| Some(available("deployment", ZIPKIN)),
        },
        Alert {
            name: "TraceRetentionFailing",
            hold: "1h",
            severity: Warning,
            summary: "Old traces have not been deleted for two days.",
            description: "{{ $labels.cronjob }} last succeeded {{ $value | humanizeDuration }} ago; the indices grow.",
            expr: retention_failing,
        },
    ],
};

fn available(kind: &str, name: &str) -> String {
    let metric = match kind {
        "deployment" => "kube_deployment_status_replicas_available",
        _ => "kube_statefulset_status_replicas_ready",
    };
    format!("max by (namespace, {kind}) ({metric}{{namespace=\"{OBSERVABILITY}\",{kind}=\"{name}\"}}) == 0")
}

fn collector_down(scope: &Scope<'_>) -> String {
    let first = available("deployment", COLLECTOR);
    if scope.env.tracing.balancers > 0 {
        format!("{first} or {}", available("statefulset", SAMPLER))
    } else {
        first
    }
}

/// A job that never succeeded has no time of success: then its age counts.
fn retention_failing(scope: &Scope<'_>) -> Option<String> {
    if matches!(scope.env.tracing.store, TraceStore::Memory { .. }) {
        return None;
    }
    let job = format!("{{namespace=\"{OBSERVABILITY}\",cronjob=\"{RETENTION}\"}}");
    let since = |metric: &str| format!("time() - max by (cronjob) ({metric}{job})");
    let succeeded = "kube_cronjob_status_last_successful_time";
    Some(format!(
        "{} > 2 * 86400 or ({} > 2 * 86400 unless on (cronjob) {succeeded}{job})",
        since(succeeded),
        since("kube_cronjob_created")
    ))
}
