//! Events to publish.

use catalogue::{
    event_types::{REMINDER_DUE, TASK_CREATED, TASK_UPDATED},
    topics,
};
use event_bus::Outgoing;
use events::Event;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};
use uuid::Uuid;

const SECOND: &str = "2026-11-01T08:00:00Z";

/// A person's task reached this version (from 1), just now.
pub(crate) fn task_event(user: &str, task: i64, version: i64) -> Outgoing {
    task_event_of(user, task, version, Timestamp::now())
}

/// The same, recorded then.
pub(crate) fn task_event_of(user: &str, task: i64, version: i64, made_at: Timestamp) -> Outgoing {
    described(user, task, version, made_at, "")
}

/// The same, with this description.
pub(crate) fn described(user: &str, task: i64, version: i64, made_at: Timestamp, description: &str) -> Outgoing {
    let kind = if version == 1 { TASK_CREATED } else { TASK_UPDATED };
    let mut envelope = envelope(&kind, task, version, made_at);
    envelope["userseq"] = format!("{version:016}").into();
    envelope["data"] = json!({
        "schema_version": "1.0", "event_type": kind.event_type, "task_id": task, "user_id": user, "timestamp": SECOND,
        "correlation_id": "sample",
        "task_snapshot": {
            "id": task, "user_id": user, "title": "Water the plants", "description": description, "status": "open",
            "priority": "none", "tags": [], "time_zone": "UTC", "reminders": [], "version": version,
            "created_at": SECOND, "updated_at": SECOND
        }
    });
    outgoing(topics::TASK_EVENTS, &envelope)
}

/// A reminder of this version of the task fell due.
pub(crate) fn reminder_event(user: &str, task: i64, version: i64) -> Outgoing {
    let mut envelope = envelope(&REMINDER_DUE, task, version, Timestamp::now());
    envelope["data"] = json!({
        "schema_version": "1.0", "event_type": "due", "task_id": task, "user_id": user, "timestamp": SECOND,
        "correlation_id": "sample", "title": "Water the plants", "remind_at": SECOND
    });
    outgoing(topics::REMINDERS, &envelope)
}

/// So many days before now. Midnight may come before the next call: days that are compared are counted from one instant.
pub(crate) fn days_ago(days: i64) -> Timestamp {
    days_before(Timestamp::now(), days)
}

/// So many days before this instant.
pub(crate) fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now - (days * 24).hours()
}

fn envelope(kind: &catalogue::EventType, task: i64, version: i64, made_at: Timestamp) -> Value {
    json!({
        "specversion": "1.0", "id": id_of(made_at), "source": format!("/services/{}", kind.publisher),
        "type": kind.name, "subject": task.to_string(), "time": SECOND, "datacontenttype": "application/json",
        "dataschema": "https://taskflow.dev/schemas/sample.json", "partitionkey": task.to_string(),
        "sequence": format!("{version:016}"),
    })
}

fn id_of(made_at: Timestamp) -> Uuid {
    let random: [u8; 10] = Uuid::now_v7().as_bytes()[6..].try_into().unwrap();
    let milliseconds = made_at.as_millisecond().unsigned_abs();
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
}

fn outgoing(topic: &'static str, envelope: &Value) -> Outgoing {
    let value = envelope.to_string();
    let event = Event::parse(value.as_bytes()).unwrap_or_else(|error| panic!("{error}: {value}"));
    Outgoing {
        topic,
        key: event.key(),
        event_id: event.context.id.get(),
        event_type: event.event_type().name.to_owned(),
        value: value.into(),
        traceparent: None,
    }
}
