//! Events to publish.

use catalogue::{
    EventType,
    event_types::{REMINDER_DUE, TASK_CREATED, TASK_UPDATED},
    topics,
};
use event_bus::Outgoing;
use events::Event;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// A change of a task, as chat-api tells it.
#[derive(Clone, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) user: &'a str,
    pub(crate) task: i64,
    pub(crate) version: i64,
    /// The person's counter.
    pub(crate) sequence: i64,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
}

impl<'a> Change<'a> {
    /// The person's change with this number: each is the first one of a task of its own, with the same number.
    pub(crate) fn nth(user: &'a str, sequence: i64) -> Self {
        Self {
            user,
            task: sequence,
            version: 1,
            sequence,
            title: "Water the plants",
            description: "",
        }
    }

    /// The event, which happened just now.
    pub(crate) fn event(&self) -> Outgoing {
        let kind = if self.version == 1 { TASK_CREATED } else { TASK_UPDATED };
        let now = Timestamp::now();
        let mut envelope = envelope(&kind, self.task, self.version, now);
        envelope["userseq"] = format!("{:016}", self.sequence).into();
        envelope["data"] = json!({
            "schema_version": "1.0", "event_type": kind.event_type, "task_id": self.task, "user_id": self.user,
            "timestamp": now, "correlation_id": "sample",
            "task_snapshot": {
                "id": self.task, "user_id": self.user, "title": self.title, "description": self.description,
                "status": "open", "priority": "none", "tags": [], "time_zone": "UTC", "reminders": [],
                "version": self.version, "created_at": now, "updated_at": now
            }
        });
        outgoing(topics::TASK_EVENTS, &envelope)
    }
}

/// A reminder of the task fell due.
pub(crate) fn reminder(user: &str, task: i64) -> Outgoing {
    let now = Timestamp::now();
    let mut envelope = envelope(&REMINDER_DUE, task, 1, now);
    envelope["data"] = json!({
        "schema_version": "1.0", "event_type": "due", "task_id": task, "user_id": user, "timestamp": now,
        "correlation_id": "sample", "title": "Water the plants", "remind_at": now
    });
    outgoing(topics::REMINDERS, &envelope)
}

fn envelope(kind: &EventType, task: i64, version: i64, time: Timestamp) -> Value {
    json!({
        "specversion": "1.0", "id": Uuid::now_v7(), "source": format!("/services/{}", kind.publisher),
        "type": kind.name, "subject": task.to_string(), "time": time, "datacontenttype": "application/json",
        "dataschema": "https://taskflow.dev/schemas/sample.json", "partitionkey": task.to_string(),
        "sequence": format!("{version:016}"),
    })
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
