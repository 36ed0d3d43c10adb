use serde_json::{Value, json};

use super::*;

const ID: &str = "01a0c450-6c06-7707-8707-070707070707";

fn due(version: i64) -> Vec<u8> {
    let at = "2026-11-30T08:00:00Z";
    let event: Value = json!({
        "specversion": "1.0", "type": "dev.taskflow.reminder.due.v1", "source": "/services/notification", "id": ID,
        "subject": "1", "sequence": format!("{version:016}"), "time": at,
        "data": {
            "schema_version": "1.0", "event_type": "due", "task_id": 1, "user_id": "a", "correlation_id": "c",
            "timestamp": at, "remind_at": at, "title": "Buy milk",
        },
    });
    event.to_string().into_bytes()
}

fn known(value: &[u8]) -> Known<'_> {
    Known {
        origin: topics::REMINDERS,
        consumer: Some(app_ids::NOTIFICATION),
        value: Some(value),
        newest: None,
        newer_waiting: 0,
        replays: 0,
        before: None,
        again: false,
    }
}

#[test]
fn what_can_be_read_goes_back_with_its_own_id() {
    let value = due(1);
    let Verdict::Replay { event, upcast } = judge(&known(&value)) else {
        panic!("it does not go back");
    };
    assert_eq!((event.context.id.get().to_string().as_str(), upcast), (ID, false));
}

#[test]
fn what_cannot_be_read_stays_and_says_why() {
    for (value, why) in [
        (&b""[..], "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[1]", "not_an_envelope"),
        (br#"{"specversion":"1.0","type":"x.y.v1"}"#, "unknown_type"),
    ] {
        let Verdict::Schema(detail) = judge(&known(value)) else {
            panic!("{value:?} goes back");
        };
        assert!(detail.starts_with(why), "{detail}");
    }
    let none = Known {
        value: None,
        ..known(b"")
    };
    assert_eq!(judge(&none), Verdict::Schema("the record has no value".to_owned()));
}

#[test]
fn an_event_goes_only_to_its_own_topic() {
    let value = due(1);
    let elsewhere = Known {
        origin: topics::TASK_EVENTS,
        ..known(&value)
    };
    assert!(matches!(judge(&elsewhere), Verdict::Schema(_)));
}

#[test]
fn the_version_of_its_task_does_not_overtake_a_reminder() {
    let value = due(1);
    let newer = Known {
        newest: Some(9),
        ..known(&value)
    };
    assert_eq!(judge(&newer).outcome(), "replayed");
}

#[test]
fn what_came_back_needs_somebody_who_insists_and_has_an_end() {
    let value = due(1);
    let back = |replays, again| {
        judge(&Known {
            replays,
            again,
            ..known(&value)
        })
        .outcome()
    };
    assert_eq!((back(1, false), back(1, true)), ("loop", "replayed"));
    assert_eq!(back(MOST_REPLAYS, true), "loop");
}

#[test]
fn nothing_goes_before_an_earlier_letter_of_its_key() {
    let value = due(1);
    let behind = Known {
        before: Some(Uuid::nil()),
        ..known(&value)
    };
    assert_eq!(judge(&behind), Verdict::Behind(Uuid::nil()));
}
