//! Events to send.

use catalogue::{event_types::TASK_UPDATED, topics};
use event_bus::Outgoing;
use uuid::Uuid;

/// The trace that every sample belongs to.
pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A new event that tells that a task reached this version (from 1).
pub(crate) fn task_updated(task: i64, version: i64) -> Outgoing {
    let event_id = Uuid::now_v7();
    let value = format!(
        r#"{{
            "specversion": "1.0", "id": "{event_id}", "source": "/services/chat-api", "type": "{event_type}",
            "subject": "{task}", "time": "2026-11-01T08:00:00Z", "datacontenttype": "application/json",
            "dataschema": "https://taskflow.dev/schemas/task.updated/1.0.json", "partitionkey": "{task}",
            "sequence": "{version:016}", "userseq": "{version:016}", "traceparent": "{TRACEPARENT}",
            "data": {{
                "schema_version": "1.0", "event_type": "updated", "task_id": {task}, "user_id": "user-1",
                "timestamp": "2026-11-01T08:00:00Z", "correlation_id": "sample",
                "task_snapshot": {{
                    "id": {task}, "user_id": "user-1", "title": "Water the plants", "description": "", "status": "open",
                    "priority": "none", "tags": [], "time_zone": "UTC", "reminders": [], "version": {version},
                    "created_at": "2026-11-01T07:00:00Z", "updated_at": "2026-11-01T08:00:00Z"
                }}
            }}
        }}"#,
        event_type = TASK_UPDATED.name,
    );
    Outgoing {
        topic: topics::TASK_EVENTS,
        key: task.to_string(),
        event_id,
        event_type: TASK_UPDATED.name.to_owned(),
        value: value.into(),
        traceparent: Some(TRACEPARENT.to_owned()),
    }
}

#[test]
fn samples_can_be_read() {
    let sample = task_updated(7, 3);
    let event = events::Event::parse(&sample.value).unwrap();
    assert_eq!((event.task_id().get(), event.sequence().get()), (7, 3));
    assert_eq!(event.context.id.get(), sample.event_id);
}
