//! Live updates: a second browser sees a change at once.

use super::definition::{Alert, Group};
use crate::spec::observability::AlertSeverity::Warning;
use catalogue::metrics;

/// Messages by which somebody is called: fewer say nothing about a share.
const FEW: u32 = 100;
/// Refetches in half an hour. One change that does not come costs one for each client of its person.
const MANY: u32 = 50;

/// Live updates.
pub(super) const GROUP: Group = Group {
    name: "live-updates",
    pointer: "/services/websocket",
    records: |_| Vec::new(),
    alerts: &[
        Alert {
            name: "LiveUpdatesSlow",
            hold: "10m",
            severity: Warning,
            summary: "More than one in a hundred live updates takes longer than a second.",
            description: "{{ $value | humanizePercentage }} of the live updates reach their client more than a second after the change.",
            expr: |_| {
                let latency = metrics::WEBSOCKET_BROADCAST_LATENCY_SECONDS.name;
                Some(format!(
                    "1 - sum(rate({latency}_bucket{{le=~\"1|1[.]0\"}}[10m])) / sum(rate({latency}_count[10m])) > 0.01 \
                     and sum(increase({latency}_count[10m])) >= {FEW}"
                ))
            },
        },
        Alert {
            name: "LiveUpdatesMissing",
            hold: "15m",
            severity: Warning,
            summary: "Changes go missing on their way to clients, which load everything again.",
            description: "{{ $value | humanize }} clients were told in half an hour to load everything, since a change did not arrive.",
            expr: |_| {
                let refetches = metrics::WEBSOCKET_REFETCHES_TOTAL.name;
                Some(format!("sum(increase({refetches}{{reason=\"gap\"}}[30m])) > {MANY}"))
            },
        },
    ],
};
