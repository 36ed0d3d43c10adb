//! Upcasters: lift the payload of an older major version to the next one.
//!
//! A breaking change is a new major version with a new `type`. The records of the old one stay on the topic and in dead
//! letters for months; the reader lifts them step by step, so that no consumer knows more than the current version.

use catalogue::EventType;
use serde_json::Value;

use crate::{
    parse_error::{Misfit, ParseError},
    version::family_and_major,
};

/// One step: from a major version of a family of types to the next.
pub(crate) struct Upcaster {
    /// The `type` without its major version: `dev.taskflow.task.created`.
    pub(crate) family: &'static str,
    /// The major version that it lifts.
    pub(crate) from: u32,
    /// Turns the payload into one of `from + 1`, `schema_version` included.
    pub(crate) lift: fn(Value) -> Result<Value, Misfit>,
}

/// Every step there is. No type has a second major version yet.
pub(crate) const UPCASTERS: &[Upcaster] = &[];

/// Lifts a payload of this type from `major` to the current version, in as many steps as it takes.
pub(crate) fn upcast(
    upcasters: &[Upcaster],
    event_type: &EventType,
    major: u32,
    mut payload: Value,
) -> Result<Value, ParseError> {
    let (family, current) = family_and_major(event_type.name).expect("the catalogue ends each type with its version");
    let unsupported = || ParseError::UnsupportedMajor(format!("{family}.v{major}"));
    if major > current {
        return Err(unsupported());
    }
    for from in major..current {
        let step = upcasters.iter().find(|it| it.family == family && it.from == from);
        let step = step.ok_or_else(unsupported)?;
        payload = (step.lift)(payload).map_err(ParseError::PayloadInvalid)?;
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use catalogue::event_types::REMINDER_DUE;
    use serde_json::json;

    use super::*;
    use crate::{event::Body, parse::parse_with};

    /// A major version 0 that never was: it called the title `text`.
    const FROM_0: Upcaster = Upcaster {
        family: "dev.taskflow.reminder.due",
        from: 0,
        lift: |mut payload| {
            let text = payload.get_mut("text").map(Value::take);
            payload["title"] = text.ok_or_else(|| Misfit::new("/data", "missing field `text`"))?;
            payload["schema_version"] = json!("1.0");
            Ok(payload)
        },
    };

    fn record(name: &str, value: &str) -> Value {
        json!({
            "specversion": "1.0", "type": "dev.taskflow.reminder.due.v0", "source": "/services/notification",
            "id": "01a0c450-6c06-7707-8707-070707070707", "subject": "1", "sequence": "0000000000000001",
            "time": "2026-11-30T08:00:00Z",
            "data": {
                "schema_version": "0.3", "event_type": "due", "task_id": 1, "user_id": "a", "correlation_id": "c",
                "timestamp": "2026-11-30T08:00:00Z", "remind_at": "2026-11-30T08:00:00Z", name: value
            }
        })
    }

    #[test]
    fn an_event_of_an_older_major_version_is_read_as_a_current_one() {
        let event = parse_with(&[FROM_0], record("text", "Buy milk").to_string().as_bytes()).unwrap();
        assert_eq!(event.event_type(), &REMINDER_DUE);
        assert!(matches!(event.body, Body::ReminderDue(due) if due.title == "Buy milk"));
    }

    #[test]
    fn a_payload_that_cannot_be_lifted_is_invalid() {
        let error = parse_with(&[FROM_0], record("title", "Buy milk").to_string().as_bytes()).unwrap_err();
        let expected = Misfit::new("/data", "missing field `text`");
        assert_eq!(error, ParseError::PayloadInvalid(expected));
    }

    #[test]
    fn every_step_is_taken_in_order_and_none_may_be_missing() {
        const STEPS: [Upcaster; 2] = [
            Upcaster {
                family: "a",
                from: 2,
                lift: |it| Ok(json!([it, 3])),
            },
            Upcaster {
                family: "a",
                from: 1,
                lift: |it| Ok(json!([it, 2])),
            },
        ];
        let current = EventType {
            name: "a.v3",
            ..REMINDER_DUE
        };
        let lifted = |major| upcast(&STEPS, &current, major, json!(0));
        assert_eq!(lifted(3), Ok(json!(0)));
        assert_eq!(lifted(2), Ok(json!([0, 3])));
        assert_eq!(lifted(1), Ok(json!([[0, 2], 3])));
        assert_eq!(lifted(0), Err(ParseError::UnsupportedMajor("a.v0".into())));
        assert_eq!(lifted(4), Err(ParseError::UnsupportedMajor("a.v4".into())));
    }
}
