//! Events of tasks to publish.

use catalogue::{
    event_types::{TASK_COMPLETED, TASK_CREATED, TASK_DELETED, TASK_UPDATED},
    topics,
};
use event_bus::Outgoing;
use events::Event;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

/// A task as its events tell of it.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) user: String,
    pub(crate) id: i64,
    pub(crate) version: i64,
    pub(crate) title: String,
    pub(crate) reminders: Vec<Timestamp>,
    changed_at: Timestamp,
}

impl Task {
    /// A task of this person that asks for attention so many seconds from now.
    pub(crate) fn in_seconds(user: &str, id: i64, seconds: i64) -> Self {
        let now = Timestamp::now();
        Self {
            user: user.to_owned(),
            id,
            version: 0,
            title: "Water the plants".to_owned(),
            reminders: vec![whole(now + SignedDuration::from_secs(seconds))],
            changed_at: now,
        }
    }

    /// It was changed before now.
    pub(crate) fn changed(mut self, at: Timestamp) -> Self {
        self.changed_at = at;
        self
    }

    /// It is created, or changed.
    pub(crate) fn is_saved(&mut self) -> Outgoing {
        self.next(
            "open",
            if self.version == 0 {
                &TASK_CREATED
            } else {
                &TASK_UPDATED
            },
        )
    }

    pub(crate) fn is_completed(&mut self) -> Outgoing {
        self.next("completed", &TASK_COMPLETED)
    }

    pub(crate) fn is_deleted(&mut self) -> Outgoing {
        self.next("open", &TASK_DELETED)
    }

    fn next(&mut self, status: &str, kind: &catalogue::EventType) -> Outgoing {
        self.version += 1;
        let (id, version, at) = (self.id, self.version, self.changed_at);
        let mut snapshot = json!({
            "id": id, "user_id": self.user, "title": self.title, "description": "", "status": status,
            "priority": "none", "tags": [], "time_zone": "Europe/Berlin", "version": version,
            "reminders": self.reminders.iter().map(|at| json!({"kind": "instant", "at": at})).collect::<Vec<_>>(),
            "created_at": at, "updated_at": at
        });
        if status == "completed" {
            snapshot["completed_at"] = json!(at);
        }
        let envelope = json!({
            "specversion": "1.0", "id": Uuid::now_v7(), "source": format!("/services/{}", kind.publisher),
            "type": kind.name, "subject": id.to_string(), "time": at, "datacontenttype": "application/json",
            "dataschema": "https://taskflow.dev/schemas/sample.json", "partitionkey": id.to_string(),
            "sequence": format!("{version:016}"), "userseq": format!("{version:016}"),
            "data": {
                "schema_version": "1.0", "event_type": kind.event_type, "task_id": id, "user_id": self.user,
                "timestamp": at, "correlation_id": "sample", "task_snapshot": snapshot
            }
        });
        outgoing(topics::TASK_EVENTS, &envelope)
    }
}

/// An instant as tasks hold it.
pub(crate) fn whole(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap()
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
