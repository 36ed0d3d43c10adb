//! Autoscalers at their end.

use super::definition::{Alert, Group, no_records};
use crate::resolve::NAMESPACE;
use crate::spec::observability::AlertSeverity::Warning;

/// Autoscaling.
pub(super) const GROUP: Group = Group {
    name: "autoscaling",
    pointer: "/autoscaler",
    records: no_records,
    alerts: &[
        Alert {
            name: "AutoscalerMaxedOut",
            hold: "15m",
            severity: Warning,
            summary: "A service has as many pods as it may have and would take more.",
            description: "{{ $labels.horizontalpodautoscaler }} has stood at its maximum of {{ $value }} pods for 15 minutes.",
            // One that cannot move at all is never "at its maximum".
            expr: |_| {
                let of = |what: &str| {
                    let by = "max by (namespace, horizontalpodautoscaler)";
                    format!("{by} (kube_horizontalpodautoscaler_{what}{{namespace=\"{NAMESPACE}\"}})")
                };
                Some(format!(
                    "{current} >= {max} and {max} > {min}",
                    current = of("status_current_replicas"),
                    max = of("spec_max_replicas"),
                    min = of("spec_min_replicas")
                ))
            },
        },
        Alert {
            name: "AutoscalerBlind",
            hold: "15m",
            severity: Warning,
            summary: "An autoscaler cannot read the metric that it should follow.",
            description: "{{ $labels.horizontalpodautoscaler }} cannot compute how many pods it needs; it stays where it is.",
            expr: |_| {
                Some(format!(
                    "max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_condition{{\
                     namespace=\"{NAMESPACE}\",condition=\"ScalingActive\",status=\"false\"}}) == 1"
                ))
            },
        },
        Alert {
            name: "KedaScalerFailing",
            hold: "10m",
            severity: Warning,
            summary: "KEDA cannot ask Kafka for the lag.",
            description: "KEDA fails {{ $value | humanize }} times per second for {{ $labels.scaledObject }}.",
            expr: |scope| {
                scope
                    .env
                    .autoscaler
                    .has_keda
                    .then(|| "sum by (scaledObject) (rate(keda_scaler_detail_errors_total[5m])) > 0".to_owned())
            },
        },
    ],
};
