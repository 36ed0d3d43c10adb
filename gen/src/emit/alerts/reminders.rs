//! Reminders: 99.9 % within 30 seconds.

use super::burn;
use super::definition::{Alert, Group, Record, Scope};
use crate::spec::observability::AlertSeverity::{Critical, Info, Warning};
use catalogue::metrics;

/// Share of late reminders; the window follows.
const LATE: &str = "reminders:late:ratio_rate";

/// Reminders that must have been late or swept before anybody is called: one in a quiet night is none.
const FEW: u32 = 5;

/// Reminders.
pub(super) const GROUP: Group = Group {
    name: "reminders",
    pointer: "/services/notification",
    records,
    alerts: &[
        Alert {
            name: "ReminderLatenessBurnFast",
            hold: "2m",
            severity: Critical,
            summary: "Reminders are late so often that the month's error budget is gone within days.",
            description: "{{ $value | humanizePercentage }} of the reminders come more than 30 seconds late; the objective allows 0.1 %.",
            expr: |_| {
                Some(format!(
                    "{} and {} >= {FEW}",
                    burn::burns(LATE, &burn::FAST),
                    late_within("6h")
                ))
            },
        },
        Alert {
            name: "ReminderLatenessBurnSlow",
            hold: "1h",
            severity: Warning,
            summary: "Reminders are late more often than the month's error budget allows.",
            description: "{{ $value | humanizePercentage }} of the reminders come more than 30 seconds late; the objective allows 0.1 %.",
            expr: |_| {
                Some(format!(
                    "{} and {} >= {FEW}",
                    burn::burns(LATE, &burn::SLOW),
                    late_within("3d")
                ))
            },
        },
        Alert {
            name: "RemindersOverdue",
            hold: "5m",
            severity: Critical,
            summary: "Reminders are due and nobody claims them.",
            description: "{{ $value }} reminders are due and unclaimed: neither the Scheduler nor the sweeper works.",
            expr: |_| Some(format!("max({}) > 0", metrics::REMINDERS_OVERDUE.name)),
        },
        Alert {
            name: "RemindersMostlySwept",
            hold: "15m",
            severity: Warning,
            summary: "The sweeper claims more than a tenth of the reminders: jobs do not fire.",
            description: "{{ $value | humanizePercentage }} of the reminders that came due were claimed by the sweeper instead of a job.",
            // Without Dapr there are no jobs, and the sweeper claims everything.
            expr: |scope| {
                scope.env.dapr.as_ref()?;
                let swept = metrics::REMINDERS_SWEPT_TOTAL.name;
                let due = metrics::REMINDER_TRANSITIONS_TOTAL.name;
                Some(format!(
                    "sum(increase({swept}[30m])) / sum(increase({due}{{state=\"due\"}}[30m])) > 0.1 \
                     and sum(increase({swept}[30m])) >= {FEW}"
                ))
            },
        },
        Alert {
            name: "NotificationDeliveryFailing",
            hold: "15m",
            severity: Warning,
            summary: "More than a fifth of the deliveries through a channel fail.",
            description: "{{ $value | humanizePercentage }} of the deliveries through {{ $labels.channel }} fail.",
            expr: |_| {
                let deliveries = metrics::NOTIFICATION_DELIVERIES_TOTAL.name;
                Some(format!(
                    "sum by (channel) (rate({deliveries}{{outcome=~\"failed|retry\"}}[15m])) / \
                     sum by (channel) (rate({deliveries}[15m])) > 0.2"
                ))
            },
        },
        Alert {
            name: "NotificationInDoubt",
            hold: "",
            severity: Info,
            summary: "A crash left it open whether a notification was sent.",
            description: "{{ $value | humanize }} attempts through {{ $labels.channel }} were found without an outcome; somebody may have been notified twice.",
            expr: |_| {
                let in_doubt = metrics::NOTIFICATION_ATTEMPTS_IN_DOUBT_TOTAL.name;
                Some(format!("sum by (channel) (increase({in_doubt}[1h])) > 0"))
            },
        },
    ],
};

/// Reminders in time; Prometheus 3 writes the bound as `30.0`, older ones as the service does.
fn in_time(window: &str) -> String {
    let lateness = metrics::REMINDER_LATENESS_SECONDS.name;
    format!("{lateness}_bucket{{le=~\"30|30[.]0\"}}[{window}]")
}

fn all(window: &str) -> String {
    format!("{}_count[{window}]", metrics::REMINDER_LATENESS_SECONDS.name)
}

fn late_within(window: &str) -> String {
    format!("(sum(increase({})) - sum(increase({})))", all(window), in_time(window))
}

fn records(_: &Scope<'_>) -> Vec<Record> {
    burn::records(LATE, |window| {
        format!("1 - sum(rate({})) / sum(rate({}))", in_time(window), all(window))
    })
}
