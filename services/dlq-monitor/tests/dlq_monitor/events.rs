//! Events of tasks to publish.

use catalogue::{
    event_types::{TASK_CREATED, TASK_UPDATED},
    topics,
};
use event_bus::Outgoing;
use events::Event;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// An event of this person's task: created by its first version, changed by the others.
pub(crate) fn task_event(user: &str, id: i64, version: i64) -> Outgoing {
    let kind = if version == 1 { &TASK_CREATED } else { &TASK_UPDATED };
    let at = Timestamp::now();
    let snapshot = json!({
        "id": id, "user_id": user, "title": "Water the plants", "description": "", "status": "open", "priority": "none",
        "tags": [], "time_zone": "Europe/Berlin", "version": version, "reminders": [], "created_at": at,
        "updated_at": at
    });
    let envelope = json!({
        "specversion": "1.0", "id": Uuid::now_v7(), "source": format!("/services/{}", kind.publisher),
        "type": kind.name, "subject": id.to_string(), "time": at, "datacontenttype": "application/json",
        "dataschema": "https://taskflow.dev/schemas/sample.json", "partitionkey": id.to_string(),
        "sequence": format!("{version:016}"), "userseq": format!("{version:016}"),
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "data": {
            "schema_version": "1.0", "event_type": kind.event_type, "task_id": id, "user_id": user,
            "timestamp": at, "correlation_id": "sample", "task_snapshot": snapshot
        }
    });
    outgoing(topics::TASK_EVENTS, &envelope)
}

/// An envelope as it is published.
pub(crate) fn outgoing(topic: &'static str, envelope: &Value) -> Outgoing {
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
