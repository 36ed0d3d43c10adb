//! Our services as their callers see them.

use super::burn;
use super::definition::{Alert, Group, Record, Scope};
use crate::resolve::NAMESPACE;
use crate::spec::observability::AlertSeverity::{Critical, Warning};
use catalogue::metrics;

/// Share of failed requests; the window follows.
const FAILED: &str = "job:http_requests_failed:ratio_rate";

/// Requests that must have failed before anybody is called.
const FEW: u32 = 10;

/// Deliveries and callbacks have alerts of their own.
const FOR_PEOPLE: &str = "route!~\"/events/.+|/job/.+|/internal/.+\"";

/// Services.
pub(super) const GROUP: Group = Group {
    name: "services",
    pointer: "/services",
    records,
    alerts: &[
        Alert {
            name: "ServiceErrorBurnFast",
            hold: "2m",
            severity: Critical,
            summary: "A service fails so many requests that the month's error budget is gone within days.",
            description: "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail; the objective allows 0.1 %.",
            expr: |scope| enough_failed(scope, &burn::burns(FAILED, &burn::FAST), "6h"),
        },
        Alert {
            name: "ServiceErrorBurnSlow",
            hold: "1h",
            severity: Warning,
            summary: "A service fails more requests than the month's error budget allows.",
            description: "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail; the objective allows 0.1 %.",
            expr: |scope| enough_failed(scope, &burn::burns(FAILED, &burn::SLOW), "3d"),
        },
        Alert {
            name: "ServiceLatencyHigh",
            hold: "10m",
            severity: Warning,
            summary: "One request in a hundred takes longer than 200 ms.",
            description: "The 99th percentile of requests to {{ $labels.job }} is {{ $value | humanizeDuration }}.",
            expr: |scope| {
                let jobs = scope.called_by_people()?;
                let duration = metrics::HTTP_REQUEST_DURATION_SECONDS.name;
                Some(format!(
                    "histogram_quantile(0.99, sum by (job, le) (rate({duration}_bucket{{job=~\"{jobs}\",{FOR_PEOPLE}}}[5m]))) > 0.2"
                ))
            },
        },
        Alert {
            name: "ServiceMetricsMissing",
            hold: "10m",
            severity: Warning,
            summary: "A service runs but Prometheus gets no metrics from it: its other alerts are blind.",
            description: "{{ $labels.deployment }} has {{ $value }} pods and not one of them can be scraped.",
            expr: |scope| {
                let services = scope.with_metrics()?;
                Some(format!(
                    "max by (deployment) (kube_deployment_status_replicas_available{{namespace=\"{NAMESPACE}\",deployment=~\"{services}\"}}) > 0 \
                     unless on (deployment) \
                     label_replace(up{{namespace=\"{NAMESPACE}\",job=~\"{services}\"}} == 1, \"deployment\", \"$1\", \"job\", \"(.*)\")"
                ))
            },
        },
        Alert {
            name: "ServicePanicked",
            hold: "",
            severity: Warning,
            summary: "A service caught a panic, which is always a bug.",
            description: "{{ $labels.job }} caught {{ $value | humanize }} panics within 15 minutes.",
            expr: |_| {
                Some(format!(
                    "sum by (job) (increase({}[15m])) > 0",
                    metrics::PANICS_TOTAL.name
                ))
            },
        },
        Alert {
            name: "ServiceDependencyDown",
            hold: "5m",
            severity: Critical,
            summary: "No pod of a service can reach something that it needs.",
            description: "{{ $labels.job }} has not reached its {{ $labels.dependency }} for 5 minutes.",
            expr: |_| {
                Some(format!(
                    "max by (job, dependency) ({}) == 0",
                    metrics::DEPENDENCY_UP.name
                ))
            },
        },
        Alert {
            name: "AuditChainBroken",
            hold: "",
            severity: Critical,
            summary: "A row of the audit record was removed or altered.",
            description: "{{ $value | humanize }} rows do not continue their task's chain of hashes.",
            expr: |_| {
                Some(format!(
                    "sum(increase({}[6h])) > 0",
                    metrics::AUDIT_CHAIN_FAILURES_TOTAL.name
                ))
            },
        },
        Alert {
            name: "AuditPartitionsRunningOut",
            hold: "1h",
            severity: Warning,
            summary: "The audit record has hardly any future days prepared to write into.",
            description: "Partitions exist for {{ $value }} more days; without one, audit stops taking events.",
            expr: |_| Some(format!("min({}) < 3", metrics::AUDIT_DAYS_PREPARED.name)),
        },
    ],
};

fn requests(scope: &Scope<'_>, status: &str) -> Option<String> {
    let jobs = scope.called_by_people()?;
    let total = metrics::HTTP_REQUESTS_TOTAL.name;
    Some(format!("{total}{{job=~\"{jobs}\",{FOR_PEOPLE}{status}}}"))
}

fn enough_failed(scope: &Scope<'_>, burns: &str, window: &str) -> Option<String> {
    let failed = requests(scope, ",status=~\"5..\"")?;
    Some(format!(
        "{burns} and on (job) sum by (job) (increase({failed}[{window}])) >= {FEW}"
    ))
}

fn records(scope: &Scope<'_>) -> Vec<Record> {
    let (Some(failed), Some(all)) = (requests(scope, ",status=~\"5..\""), requests(scope, "")) else {
        return Vec::new();
    };
    burn::records(FAILED, |window| {
        format!("sum by (job) (rate({failed}[{window}])) / sum by (job) (rate({all}[{window}]))")
    })
}
