//! The spans that our services record themselves, and their attributes. Attributes never hold a name or an address.

use crate::app_ids::{AUDIT, CHAT_API, DLQ_MONITOR, NOTIFICATION, RECURRING_TASKS, RUST_SERVICES, WEBSOCKET};

/// A span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Name in the trace.
    pub name: &'static str,
    /// OpenTelemetry span kind.
    pub kind: SpanKind,
    /// Attributes, those that are not always known included.
    pub attributes: &'static [Attribute],
    /// App ids of the services that record it.
    pub recorded_by: &'static [&'static str],
    /// What it covers.
    pub help: &'static str,
}

/// OpenTelemetry span kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// Work inside a service.
    Internal,
    /// Answering a request.
    Server,
    /// Handing an event to the broker.
    Producer,
    /// Handling an event; linked to the span that published it.
    Consumer,
    /// A call to something outside.
    Client,
}

/// A span attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Key in the trace.
    pub key: &'static str,
    /// Type of its value.
    pub kind: AttributeKind,
}

/// Type of an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeKind {
    /// A whole number.
    Integer,
    /// A string.
    Text,
    /// True or false.
    Boolean,
}

const fn integer(key: &'static str) -> Attribute {
    Attribute {
        key,
        kind: AttributeKind::Integer,
    }
}

const fn text(key: &'static str) -> Attribute {
    Attribute {
        key,
        kind: AttributeKind::Text,
    }
}

const fn boolean(key: &'static str) -> Attribute {
    Attribute {
        key,
        kind: AttributeKind::Boolean,
    }
}

/// HTTP method, or `_OTHER`.
pub const HTTP_REQUEST_METHOD: Attribute = text("http.request.method");
/// Path template that the request matched, or `unmatched`.
pub const HTTP_ROUTE: Attribute = text("http.route");
/// HTTP status code of the answer.
pub const HTTP_RESPONSE_STATUS_CODE: Attribute = integer("http.response.status_code");
/// Ties together what came of one act of a person, across services and events.
pub const CORRELATION_ID: Attribute = text("correlation.id");
/// Id of the task, 1 to 2^53 − 1.
pub const TASK_ID: Attribute = integer("task.id");
/// Priority of the task: none, low, medium, high or urgent.
pub const TASK_PRIORITY: Attribute = text("task.priority");
/// Version of the task after the change, from 1.
pub const TASK_VERSION: Attribute = integer("task.version");
/// Opaque id of the user, never a name or address.
pub const USER_ID: Attribute = text("user.id");
/// Id of the event, a `UUIDv7`.
pub const EVENT_ID: Attribute = text("event.id");
/// Type of the event with its version, as in the envelope.
pub const EVENT_TYPE: Attribute = text("event.type");
/// Outcome of handling: done, retry or `dead_letter`.
pub const EVENT_OUTCOME: Attribute = text("event.outcome");
/// Whether the event was applied before.
pub const EVENT_DUPLICATE: Attribute = boolean("event.duplicate");
/// Always `kafka`.
pub const MESSAGING_SYSTEM: Attribute = text("messaging.system");
/// Name of the topic.
pub const MESSAGING_DESTINATION_NAME: Attribute = text("messaging.destination.name");
/// Partition, from 0.
pub const MESSAGING_DESTINATION_PARTITION_ID: Attribute = text("messaging.destination.partition.id");
/// Consumer group.
pub const MESSAGING_CONSUMER_GROUP_NAME: Attribute = text("messaging.consumer.group.name");
/// Id of the reminder, a `UUIDv7`.
pub const REMINDER_ID: Attribute = text("reminder.id");
/// Generation of the reminder, from 1; a stale one does nothing.
pub const REMINDER_GENERATION: Attribute = integer("reminder.generation");
/// Delivery channel: email, `in_app`, `web_push` or webhook.
pub const NOTIFICATION_CHANNEL: Attribute = text("notification.channel");
/// Number of the attempt, from 1.
pub const NOTIFICATION_ATTEMPT: Attribute = integer("notification.attempt");
/// Id of the series of a recurring task, a `UUIDv7`.
pub const SERIES_ID: Attribute = text("series.id");
/// Intended local date and time of the instance.
pub const OCCURRENCE_KEY: Attribute = text("occurrence.key");
/// Tasks found.
pub const SEARCH_RESULTS: Attribute = integer("search.results");
/// Whether the typo fallback answered.
pub const SEARCH_TYPO: Attribute = boolean("search.typo");
/// Tasks or dead letters taken together.
pub const BATCH_SIZE: Attribute = integer("batch.size");

const TASK: &[Attribute] = &[TASK_ID, TASK_PRIORITY, TASK_VERSION, USER_ID];

macro_rules! spans {
    ($($name:ident = $text:literal, $kind:ident, $attributes:expr, $services:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $name: Span = Span {
                name: $text,
                kind: SpanKind::$kind,
                attributes: $attributes,
                recorded_by: $services,
                help: $help,
            };
        )*

        /// Every span.
        pub const ALL: &[Span] = &[$($name),*];
    };
}

spans! {
    TASK_CREATE = "task_create", Internal, TASK, &[CHAT_API],
        "Creates a task: checks, transaction, outbox row.";
    TASK_UPDATE = "task_update", Internal, TASK, &[CHAT_API],
        "Changes a task.";
    TASK_COMPLETE = "task_complete", Internal, TASK, &[CHAT_API],
        "Completes a task.";
    TASK_REOPEN = "task_reopen", Internal, TASK, &[CHAT_API],
        "Reopens a task and deletes its untouched successor.";
    TASK_SNOOZE = "task_snooze", Internal, TASK, &[CHAT_API],
        "Moves a task's due time.";
    TASK_DELETE = "task_delete", Internal, TASK, &[CHAT_API],
        "Deletes a task.";
    TASK_BATCH = "task_batch", Internal, &[USER_ID, BATCH_SIZE], &[CHAT_API],
        "Applies several changes; each has a span of its own inside.";
    TASK_SEARCH = "task_search", Internal, &[USER_ID, SEARCH_RESULTS, SEARCH_TYPO], &[CHAT_API],
        "Finds tasks by a typed query; the query itself is not recorded.";
    TASK_CREATE_OCCURRENCE = "task_create_occurrence", Internal,
        &[TASK_ID, TASK_PRIORITY, TASK_VERSION, USER_ID, SERIES_ID, OCCURRENCE_KEY], &[CHAT_API],
        "Creates the next instance of a recurring task.";
    RECURRENCE_PREVIEW = "recurrence_preview", Internal, &[USER_ID], &[CHAT_API],
        "Computes the next instances of a rule.";
    RECURRENCE_NEXT = "recurrence_next", Internal, &[TASK_ID, USER_ID, SERIES_ID, OCCURRENCE_KEY], &[RECURRING_TASKS],
        "Computes the next instance and commands chat-api to create it.";
    EVENT_PUBLISH = "event_publish", Producer,
        &[EVENT_ID, EVENT_TYPE, TASK_ID, MESSAGING_SYSTEM, MESSAGING_DESTINATION_NAME, MESSAGING_DESTINATION_PARTITION_ID],
        &[CHAT_API, NOTIFICATION, DLQ_MONITOR],
        "Hands one outbox row to the broker.";
    EVENT_HANDLE = "event_handle", Consumer,
        &[EVENT_ID, EVENT_TYPE, EVENT_OUTCOME, EVENT_DUPLICATE, TASK_ID, USER_ID, MESSAGING_SYSTEM,
          MESSAGING_DESTINATION_NAME, MESSAGING_DESTINATION_PARTITION_ID, MESSAGING_CONSUMER_GROUP_NAME],
        &[RECURRING_TASKS, NOTIFICATION, AUDIT, WEBSOCKET, DLQ_MONITOR],
        "Handles one delivery of an event.";
    REMINDER_PLAN = "reminder_plan", Internal, &[TASK_ID, USER_ID, REMINDER_ID, REMINDER_GENERATION], &[NOTIFICATION],
        "Records a reminder and schedules its job.";
    REMINDER_WAKE = "reminder_wake", Internal, &[TASK_ID, REMINDER_ID, REMINDER_GENERATION], &[NOTIFICATION],
        "Answers the callback of a job.";
    REMINDER_SWEEP = "reminder_sweep", Internal, &[BATCH_SIZE], &[NOTIFICATION],
        "Claims what is due and was not woken.";
    REMINDER_CLAIM = "reminder_claim", Internal, &[TASK_ID, USER_ID, REMINDER_ID, REMINDER_GENERATION], &[NOTIFICATION],
        "Marks one reminder due and writes its event, in one transaction.";
    REMINDER_DELIVER = "reminder_deliver", Client,
        &[TASK_ID, USER_ID, REMINDER_ID, NOTIFICATION_CHANNEL, NOTIFICATION_ATTEMPT], &[NOTIFICATION],
        "Calls one delivery channel once.";
    AUDIT_APPEND = "audit_append", Internal, &[EVENT_ID, EVENT_TYPE, TASK_ID], &[AUDIT],
        "Appends one event to its task's chain.";
    AUDIT_VERIFY = "audit_verify", Internal, &[BATCH_SIZE], &[AUDIT],
        "Verifies chains.";
    DEAD_LETTER_STORE = "dead_letter_store", Internal, &[EVENT_ID, EVENT_TYPE, TASK_ID, MESSAGING_DESTINATION_NAME], &[DLQ_MONITOR],
        "Stores one dead letter.";
    DEAD_LETTER_REPLAY = "dead_letter_replay", Internal, &[EVENT_ID, EVENT_TYPE, TASK_ID, MESSAGING_DESTINATION_NAME], &[DLQ_MONITOR],
        "Replays one dead letter to its origin.";
    LIVE_BROADCAST = "live_broadcast", Internal, &[EVENT_ID, EVENT_TYPE, TASK_ID, USER_ID], &[WEBSOCKET],
        "Writes one event to the user's connections.";
    HTTP_REQUEST = "http_request", Server,
        &[HTTP_REQUEST_METHOD, HTTP_ROUTE, HTTP_RESPONSE_STATUS_CODE, CORRELATION_ID], RUST_SERVICES,
        "Answers one HTTP request; probes and metrics are not recorded.";
}
