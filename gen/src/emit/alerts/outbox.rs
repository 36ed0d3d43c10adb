//! The outbox: what is committed and not yet published.

use super::definition::{Alert, Group, no_records};
use crate::spec::observability::AlertSeverity::{Critical, Warning};
use catalogue::metrics;

/// The outbox.
pub(super) const GROUP: Group = Group {
    name: "outbox",
    pointer: "/services",
    records: no_records,
    alerts: &[
        Alert {
            name: "OutboxAgeHigh",
            hold: "5m",
            severity: Warning,
            summary: "Committed events have waited for more than 30 seconds to be published.",
            description: "The oldest event in the outbox of {{ $labels.job }} is {{ $value | humanizeDuration }} old; nothing is lost, everything behind it waits.",
            expr: |_| {
                let age = metrics::OUTBOX_OLDEST_UNPUBLISHED_AGE_SECONDS.name;
                Some(format!("max by (job) ({age}) > 30"))
            },
        },
        Alert {
            name: "OutboxStuck",
            hold: "5m",
            severity: Critical,
            summary: "Committed events have waited for more than 10 minutes to be published.",
            description: "The oldest event in the outbox of {{ $labels.job }} is {{ $value | humanizeDuration }} old: the relay does not run, or the broker is away.",
            expr: |_| {
                let age = metrics::OUTBOX_OLDEST_UNPUBLISHED_AGE_SECONDS.name;
                Some(format!("max by (job) ({age}) > 600"))
            },
        },
        Alert {
            name: "OutboxPublishFailing",
            hold: "5m",
            severity: Warning,
            summary: "Attempts to publish events keep failing.",
            description: "{{ $value | humanize }} attempts of {{ $labels.job }} to publish to {{ $labels.topic }} fail per second; they are tried again.",
            expr: |_| {
                let failures = metrics::OUTBOX_PUBLISH_FAILURES_TOTAL.name;
                Some(format!("sum by (job, topic) (rate({failures}[5m])) > 0"))
            },
        },
    ],
};
