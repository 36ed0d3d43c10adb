//! The table of metrics, grouped by what they watch.

use super::{
    Label,
    LabelValues::{Build, Closed, ConsumedTopics, PublishedTopics, Routes, StatusCodes},
    Metric, Unit, counter, gauge, seconds, table_gauge,
};
use crate::{
    app_ids::{
        AUDIT, CHAT_API, CONSUMERS, DATABASE_SERVICES, DLQ_MONITOR, INBOX_SERVICES, NOTIFICATION, PUBLISHERS,
        RECURRING_TASKS, RUST_SERVICES, TOKEN_CHECKERS, WEBSOCKET,
    },
    topics,
};

/// Seconds. Bounds for requests: 0.2 is the promised p99.
pub const REQUEST_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Seconds. Bounds for the way of an event: 5 is the promised delay in normal operation.
pub const DELIVERY_BUCKETS: &[f64] = &[
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0,
];
/// Seconds. Bounds for reminders: 30 is the objective, 900 and more tell an outage.
pub const LATENESS_BUCKETS: &[f64] = &[
    0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86400.0,
];

const METHOD: Label = Label {
    name: "method",
    values: Closed(&["DELETE", "GET", "PATCH", "POST", "PUT", "other"]),
};
const ROUTE: Label = Label {
    name: "route",
    values: Routes,
};
const STATUS: Label = Label {
    name: "status",
    values: StatusCodes,
};
const CONSUMED_TOPIC: Label = Label {
    name: "topic",
    values: ConsumedTopics,
};
const PUBLISHED_TOPIC: Label = Label {
    name: "topic",
    values: PublishedTopics,
};
const ORIGIN_TOPIC: Label = Label {
    name: "topic",
    values: Closed(topics::ORIGINS),
};
const CHANNEL: Label = Label {
    name: "channel",
    values: Closed(&["email", "in_app", "web_push", "webhook"]),
};

const fn closed(name: &'static str, values: &'static [&'static str]) -> Label {
    Label {
        name,
        values: Closed(values),
    }
}

macro_rules! metrics {
    ($($name:ident = $metric:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $name: Metric = Metric { help: $help, ..$metric };
        )*

        /// Every metric.
        pub const ALL: &[Metric] = &[$($name),*];
    };
}

metrics! {
    // Requests
    HTTP_REQUESTS_TOTAL = counter("http_requests_total", &[METHOD, ROUTE, STATUS], RUST_SERVICES),
        "HTTP requests answered, deliveries and callbacks of Dapr included.";
    HTTP_REQUEST_DURATION_SECONDS = seconds("http_request_duration_seconds", REQUEST_BUCKETS, &[METHOD, ROUTE], RUST_SERVICES),
        "Time from the first byte of a request to the last byte of its response headers.";
    HTTP_REQUESTS_IN_FLIGHT = gauge("http_requests_in_flight", Unit::Count, &[], RUST_SERVICES),
        "HTTP requests begun and not yet answered.";
    HTTP_REQUESTS_SHED_TOTAL = counter("http_requests_shed_total", &[closed("reason", &["concurrency", "deadline", "rate"])], RUST_SERVICES),
        "HTTP requests refused to protect the service.";
    AUTH_FAILURES_TOTAL = counter("auth_failures_total", &[closed("reason", &["app_token", "audience", "expired", "issuer", "malformed", "missing", "scope", "signature"])], RUST_SERVICES),
        "Requests refused because of their token, forged deliveries and callbacks included.";
    TOKEN_KEYS_REFRESHED_TIMESTAMP_SECONDS = gauge("token_keys_refreshed_timestamp_seconds", Unit::UnixSeconds, &[], TOKEN_CHECKERS),
        "When the issuer's signing keys were last read.";

    // Publishing
    OUTBOX_OLDEST_UNPUBLISHED_AGE_SECONDS = table_gauge("outbox_oldest_unpublished_age_seconds", Unit::Seconds, &[], PUBLISHERS),
        "Age of the oldest outbox row that is not published; 0 when there is none.";
    OUTBOX_UNPUBLISHED_ROWS = table_gauge("outbox_unpublished_rows", Unit::Count, &[], PUBLISHERS),
        "Outbox rows that are not published.";
    OUTBOX_PUBLISHED_TOTAL = counter("outbox_published_total", &[PUBLISHED_TOPIC], PUBLISHERS),
        "Outbox rows that the broker acknowledged.";
    OUTBOX_PUBLISH_FAILURES_TOTAL = counter("outbox_publish_failures_total", &[PUBLISHED_TOPIC], PUBLISHERS),
        "Attempts to publish an outbox row that failed; the row is tried again.";
    OUTBOX_PUBLISH_DURATION_SECONDS = seconds("outbox_publish_duration_seconds", DELIVERY_BUCKETS, &[PUBLISHED_TOPIC], PUBLISHERS),
        "Time from the commit of an outbox row to the broker's acknowledgement.";

    // Consuming
    EVENTS_HANDLED_TOTAL = counter("events_handled_total", &[CONSUMED_TOPIC, closed("outcome", &["dead_letter", "done", "retry"])], CONSUMERS),
        "Deliveries by what the handler made of them.";
    EVENT_HANDLING_DURATION_SECONDS = seconds("event_handling_duration_seconds", REQUEST_BUCKETS, &[CONSUMED_TOPIC], CONSUMERS),
        "Time that the handler took for one delivery.";
    EVENT_DELIVERY_DELAY_SECONDS = seconds("event_delivery_delay_seconds", DELIVERY_BUCKETS, &[CONSUMED_TOPIC], CONSUMERS),
        "Time from the event's own time to the end of its handling.";
    INBOX_DUPLICATES_TOTAL = counter("inbox_duplicates_total", &[CONSUMED_TOPIC], INBOX_SERVICES),
        "Deliveries of an event that was applied before; harmless.";
    CONSUMPTION_PAUSED = gauge("consumption_paused", Unit::Boolean, &[], CONSUMERS),
        "1 while the service takes no events because something that it needs is away.";
    CONSUMER_ASSIGNED_PARTITIONS = gauge("consumer_assigned_partitions", Unit::Count, &[CONSUMED_TOPIC], CONSUMERS),
        "Partitions that the direct transport has assigned to this replica; 0 over Dapr.";
    CONSUMER_REBALANCES_TOTAL = counter("consumer_rebalances_total", &[], CONSUMERS),
        "Rebalances that the direct transport took part in; 0 over Dapr.";

    // Dependencies
    DEPENDENCY_UP = gauge("dependency_up", Unit::Boolean, &[closed("dependency", &["broker", CHAT_API, "database", "token_issuer"])], RUST_SERVICES),
        "1 when the last use or check of the dependency succeeded, or the service does not need it.";
    DB_POOL_CONNECTIONS = gauge("db_pool_connections", Unit::Count, &[closed("state", &["idle", "used"])], DATABASE_SERVICES),
        "Open database connections of the pool.";
    DB_POOL_MAX_CONNECTIONS = gauge("db_pool_max_connections", Unit::Count, &[], DATABASE_SERVICES),
        "Connections that the pool may open.";
    DB_POOL_ACQUIRE_SECONDS = seconds("db_pool_acquire_seconds", REQUEST_BUCKETS, &[], DATABASE_SERVICES),
        "Time spent waiting for a connection of the pool.";
    DB_POOL_ACQUIRE_TIMEOUTS_TOTAL = counter("db_pool_acquire_timeouts_total", &[], DATABASE_SERVICES),
        "Waits for a connection of the pool that were given up.";

    // Tasks
    TASK_OPERATIONS_TOTAL = counter("task_operations_total", &[
            closed("operation", &["complete", "create", "create_occurrence", "delete", "reopen", "search", "snooze", "update"]),
            closed("outcome", &["conflict", "failed", "not_found", "refused", "succeeded"]),
        ], &[CHAT_API]),
        "Operations on tasks, those inside a batch counted one by one.";
    TASK_SEARCH_DURATION_SECONDS = seconds("task_search_duration_seconds", REQUEST_BUCKETS, &[closed("mode", &["strict", "typo"])], &[CHAT_API]),
        "Time that the database took for one search.";
    IDEMPOTENT_REPLAYS_TOTAL = counter("idempotent_replays_total", &[], &[CHAT_API]),
        "Requests answered from the record of their idempotency key.";
    OCCURRENCES_TOTAL = counter("occurrences_total", &[closed("outcome", &["created", "duplicate", "ended", "failed", "refused"])], &[RECURRING_TASKS]),
        "Completed recurring tasks by what became of their next instance.";

    // Reminders
    REMINDER_LATENESS_SECONDS = seconds("reminder_lateness_seconds", LATENESS_BUCKETS, &[], &[NOTIFICATION]),
        "Time from the instant of a reminder to its first delivery; the objective is 99.9 % within 30 seconds.";
    REMINDERS_OVERDUE = table_gauge("reminders_overdue", Unit::Count, &[], &[NOTIFICATION]),
        "Reminders whose instant has passed and that nobody has claimed.";
    REMINDERS_SWEPT_TOTAL = counter("reminders_swept_total", &[], &[NOTIFICATION]),
        "Reminders that the sweeper claimed because no job had.";
    REMINDER_TRANSITIONS_TOTAL = counter("reminder_transitions_total", &[closed("state", &["attempted", "delivered", "due", "expired", "planned", "superseded"])], &[NOTIFICATION]),
        "Reminders by the state that they entered.";
    REMINDER_JOBS_TOTAL = counter("reminder_jobs_total", &[closed("outcome", &["deleted", "fired", "schedule_failed", "scheduled", "stale", "unknown"])], &[NOTIFICATION]),
        "Jobs at the Dapr Scheduler by what happened to them; stale and unknown ones were recorded and sent nothing.";
    NOTIFICATION_DELIVERIES_TOTAL = counter("notification_deliveries_total", &[CHANNEL, closed("outcome", &["delivered", "failed", "gone", "retry", "suppressed"])], &[NOTIFICATION]),
        "Calls to a delivery channel by outcome.";
    NOTIFICATION_DELIVERY_DURATION_SECONDS = seconds("notification_delivery_duration_seconds", REQUEST_BUCKETS, &[CHANNEL], &[NOTIFICATION]),
        "Time that a delivery channel took to answer.";
    NOTIFICATION_ATTEMPTS_IN_DOUBT_TOTAL = counter("notification_attempts_in_doubt_total", &[CHANNEL], &[NOTIFICATION]),
        "Attempts found without an outcome after a crash: the one window in which a person may be notified twice.";

    // Audit
    AUDIT_ROWS_APPENDED_TOTAL = counter("audit_rows_appended_total", &[CONSUMED_TOPIC], &[AUDIT]),
        "Events appended to the record.";
    AUDIT_EXPIRED_EVENTS_TOTAL = counter("audit_expired_events_total", &[], &[AUDIT]),
        "Events older than the retention, acknowledged without a row.";
    AUDIT_CHAIN_FAILURES_TOTAL = counter("audit_chain_failures_total", &[], &[AUDIT]),
        "Rows whose hash does not continue their task's chain: removed or altered.";
    AUDIT_CHAIN_VERIFIED_TIMESTAMP_SECONDS = table_gauge("audit_chain_verified_timestamp_seconds", Unit::UnixSeconds, &[], &[AUDIT]),
        "When every chain was last verified; 0 when never.";
    AUDIT_DAYS_PREPARED = table_gauge("audit_days_prepared", Unit::Count, &[], &[AUDIT]),
        "Days from tomorrow on whose partition exists already.";

    // Dead letters
    DLQ_DEPTH = table_gauge("dlq_depth", Unit::Count, &[ORIGIN_TOPIC], &[DLQ_MONITOR]),
        "Dead letters of the origin topic that are neither replayed nor discarded.";
    DLQ_OLDEST_AGE_SECONDS = table_gauge("dlq_oldest_age_seconds", Unit::Seconds, &[ORIGIN_TOPIC], &[DLQ_MONITOR]),
        "Age of the oldest unresolved dead letter of the origin topic; 0 when there is none.";
    DLQ_ARRIVED_TOTAL = counter("dlq_arrived_total", &[ORIGIN_TOPIC], &[DLQ_MONITOR]),
        "Dead letters stored by this replica.";
    DLQ_RESOLVED_TOTAL = counter("dlq_resolved_total", &[ORIGIN_TOPIC, closed("resolution", &["discarded", "replayed", "superseded"])], &[DLQ_MONITOR]),
        "Dead letters resolved by this replica.";
    DLQ_REPLAY_FAILURES_TOTAL = counter("dlq_replay_failures_total", &[ORIGIN_TOPIC, closed("reason", &["loop", "publish", "schema", "spike"])], &[DLQ_MONITOR]),
        "Replays that were stopped or failed.";

    // Live updates
    WEBSOCKET_CONNECTIONS = gauge("websocket_connections", Unit::Count, &[closed("protocol", &["sse", "websocket"])], &[WEBSOCKET]),
        "Open connections of clients.";
    WEBSOCKET_DROPPED_CLIENTS_TOTAL = counter("websocket_dropped_clients_total", &[closed("reason", &["expired", "heartbeat", "limit", "misuse", "shutdown", "slow", "unauthenticated"])], &[WEBSOCKET]),
        "Connections that the service closed.";
    WEBSOCKET_REFETCHES_TOTAL = counter("websocket_refetches_total", &[closed("reason", &["gap", "too_old"])], &[WEBSOCKET]),
        "Clients told to load everything again.";
    WEBSOCKET_BROADCAST_LATENCY_SECONDS = seconds("websocket_broadcast_latency_seconds", DELIVERY_BUCKETS, &[], &[WEBSOCKET]),
        "Time from the event's own time to the write to a client's socket.";

    // Process
    BUILD_INFO = gauge("build_info", Unit::Boolean, &[Label { name: "version", values: Build }, Label { name: "revision", values: Build }], RUST_SERVICES),
        "Always 1; the labels tell what runs.";
    PANICS_TOTAL = counter("panics_total", &[], RUST_SERVICES),
        "Panics caught; each one is a bug.";
    PROCESS_CPU_SECONDS_TOTAL = Metric { unit: Unit::Seconds, ..counter("process_cpu_seconds_total", &[], RUST_SERVICES) },
        "User and system CPU time spent.";
    PROCESS_RESIDENT_MEMORY_BYTES = gauge("process_resident_memory_bytes", Unit::Bytes, &[], RUST_SERVICES),
        "Resident memory.";
    PROCESS_OPEN_FDS = gauge("process_open_fds", Unit::Count, &[], RUST_SERVICES),
        "Open file descriptors.";
    PROCESS_MAX_FDS = gauge("process_max_fds", Unit::Count, &[], RUST_SERVICES),
        "File descriptors that may be open.";
    PROCESS_THREADS = gauge("process_threads", Unit::Count, &[], RUST_SERVICES),
        "Operating system threads.";
    PROCESS_START_TIME_SECONDS = gauge("process_start_time_seconds", Unit::UnixSeconds, &[], RUST_SERVICES),
        "When the process started.";
}
