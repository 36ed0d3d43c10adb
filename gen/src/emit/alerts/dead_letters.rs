//! Dead letters. Every replica of dlq-monitor exports the same table: `max`, never `sum`.

use super::definition::{Alert, Group, no_records};
use crate::spec::observability::AlertSeverity::{Critical, Warning};
use catalogue::metrics;

/// Dead letters.
pub(super) const GROUP: Group = Group {
    name: "dead-letters",
    pointer: "/topics",
    records: no_records,
    alerts: &[
        Alert {
            name: "DLQDepthHigh",
            hold: "5m",
            severity: Warning,
            summary: "More than 10 dead letters wait for a decision.",
            description: "{{ $value }} dead letters of {{ $labels.topic }} are neither replayed nor discarded.",
            expr: |_| Some(format!("max by (topic) ({}) > 10", metrics::DLQ_DEPTH.name)),
        },
        Alert {
            name: "DeadLetterOld",
            hold: "1h",
            severity: Warning,
            summary: "A dead letter has waited for a decision for more than three days.",
            description: "The oldest dead letter of {{ $labels.topic }} is {{ $value | humanizeDuration }} old.",
            expr: |_| {
                let age = metrics::DLQ_OLDEST_AGE_SECONDS.name;
                Some(format!("max by (topic) ({age}) > 3 * 86400"))
            },
        },
        Alert {
            name: "DeadLetterStorm",
            hold: "5m",
            severity: Critical,
            summary: "Dead letters arrive faster than one in a second.",
            description: "{{ $value | humanize }} dead letters of {{ $labels.topic }} arrive per second: a consumer refuses everything.",
            // Each arrival is counted by the one replica that stored it.
            expr: |_| {
                let arrived = metrics::DLQ_ARRIVED_TOTAL.name;
                Some(format!("sum by (topic) (rate({arrived}[5m])) > 1"))
            },
        },
        Alert {
            name: "DeadLetterReplayFailing",
            hold: "",
            severity: Warning,
            summary: "A replay of dead letters failed or was stopped.",
            description: "{{ $value | humanize }} replays of {{ $labels.topic }} failed within 15 minutes: {{ $labels.reason }}.",
            expr: |_| {
                let failures = metrics::DLQ_REPLAY_FAILURES_TOTAL.name;
                Some(format!("sum by (topic, reason) (increase({failures}[15m])) > 0"))
            },
        },
    ],
};
