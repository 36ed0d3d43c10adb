//! What the reader refuses, with its reason and place; and what it lets pass.

use events::{Body, Event, ParseError};
use serde_json::{Value, json};

use crate::golden;

/// The event of a weekly task, as it travels.
fn weekly() -> Value {
    golden::written(&golden::weekly())
}

/// The weekly event with one value replaced; `null` takes it out.
fn with(pointer: &str, value: Value) -> Value {
    let mut event = weekly();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    event
}

fn parse(value: &Value) -> Result<Event, ParseError> {
    Event::parse(value.to_string().as_bytes())
}

#[track_caller]
fn refuses(pointer: &str, value: Value, reason: &str, place: &str) {
    let value = with(pointer, value);
    let error = parse(&value).expect_err("it is refused");
    let found = error.misfit().map_or("", |misfit| misfit.pointer.as_str());
    assert_eq!((error.reason(), found), (reason, place), "{error:?}");
}

#[test]
fn what_is_not_json_is_refused() {
    for record in [
        &b""[..],
        b"{",
        b"created",
        b"\xff\xfe",
        b"{\"id\":1}}",
        &b"[".repeat(100_000),
    ] {
        assert_eq!(Event::parse(record).unwrap_err().reason(), "not_json");
    }
}

#[test]
fn what_is_no_envelope_is_refused() {
    for value in [
        json!(null),
        json!([]),
        json!("event"),
        json!({}),
        json!({ "event_type": "created" }),
    ] {
        assert_eq!(parse(&value).unwrap_err().reason(), "not_an_envelope");
    }
    let refuses = |pointer, value, place| refuses(pointer, value, "not_an_envelope", place);
    refuses("/specversion", json!("0.3"), "/specversion");
    refuses("/specversion", json!(null), "");
    refuses("/type", json!(1), "/type");
    refuses("/id", json!(null), "");
    refuses("/id", json!("3f6c1d1e-6a0b-4c55-9a53-0d9b1f0c2a11"), "/id");
    refuses("/id", json!("ffffffff-ffff-7fff-bfff-ffffffffffff"), "/id");
    refuses("/source", json!(null), "");
    refuses("/source", json!(""), "/source");
    refuses("/source", json!("x".repeat(256)), "/source");
    refuses("/time", json!("-000001-12-31T00:00:00Z"), "/time");
    refuses("/subject", json!(123), "/subject");
    refuses("/time", json!("yesterday"), "/time");
    refuses("/sequence", json!("7"), "/sequence");
    refuses("/sequence", json!("0000000000000000"), "/sequence");
    refuses("/sequence", json!("9007199254740992"), "/sequence");
    refuses("/userseq", json!(null), "/userseq");
    refuses("/userseq", json!("+000000000000041"), "/userseq");
    refuses("/data", json!(null), "/data");
}

#[test]
fn an_unknown_type_is_refused_by_name() {
    for name in [
        "",
        "created",
        "dev.taskflow.task.archived.v1",
        "dev.taskflow.task.created",
        "dev.taskflow.task.created.v01",
    ] {
        assert_eq!(
            parse(&with("/type", json!(name))),
            Err(ParseError::UnknownType(name.into()))
        );
    }
    let Err(ParseError::UnknownType(name)) = parse(&with("/type", json!("x".repeat(10_000)))) else {
        panic!("it is unknown");
    };
    assert_eq!(name.len(), 200, "a name from outside is cut");
}

#[test]
fn a_major_version_that_nobody_lifts_is_refused() {
    for name in [
        "dev.taskflow.task.updated.v0",
        "dev.taskflow.task.updated.v2",
        "dev.taskflow.task.updated.v4294967295",
    ] {
        assert_eq!(
            parse(&with("/type", json!(name))),
            Err(ParseError::UnsupportedMajor(name.into()))
        );
    }
}

#[test]
fn a_payload_that_does_not_fit_is_refused_at_its_place() {
    for (pointer, value, place) in [
        ("/data", json!([1]), "/data"),
        ("/data/task_snapshot", json!(null), "/data"),
        ("/data/task_id", json!(9_007_199_254_740_992_i64), "/data/task_id"),
        ("/data/task_id", json!("123"), "/data/task_id"),
        ("/data/user_id", json!(""), "/data/user_id"),
        ("/data/correlation_id", json!("two words"), "/data/correlation_id"),
        ("/data/timestamp", json!("2026-02-30T00:00:00Z"), "/data/timestamp"),
        (
            "/data/task_snapshot/completed_at",
            json!("-000001-12-31T00:00:00Z"),
            "/data/task_snapshot/completed_at",
        ),
        ("/data/task_snapshot/title", json!(7), "/data/task_snapshot/title"),
        (
            "/data/task_snapshot/priority",
            json!("extreme"),
            "/data/task_snapshot/priority",
        ),
        (
            "/data/task_snapshot/tags",
            json!(["a", 1]),
            "/data/task_snapshot/tags/1",
        ),
        (
            "/data/task_snapshot/due",
            json!({ "kind": "lunar" }),
            "/data/task_snapshot/due/kind",
        ),
        ("/data/task_snapshot/version", json!(0), "/data/task_snapshot/version"),
        (
            "/data/task_snapshot/recurrence/anchor",
            json!("soon"),
            "/data/task_snapshot/recurrence/anchor",
        ),
    ] {
        refuses(pointer, value, "payload_invalid", place);
    }
}

#[test]
fn what_stands_twice_must_agree() {
    for (pointer, value, place) in [
        ("/subject", json!("124"), "/data/task_id"),
        ("/time", json!("2026-01-01T00:00:00Z"), "/data/timestamp"),
        ("/sequence", json!("0000000000000008"), "/data/task_snapshot/version"),
        ("/type", json!("dev.taskflow.task.deleted.v1"), "/data/event_type"),
        ("/data/schema_version", json!("2.0"), "/data/schema_version"),
        ("/data/task_snapshot/id", json!(124), "/data/task_snapshot/id"),
        (
            "/data/task_snapshot/user_id",
            json!("user-457"),
            "/data/task_snapshot/user_id",
        ),
    ] {
        refuses(pointer, value, "payload_invalid", place);
    }
}

#[test]
fn an_error_names_the_place_and_keeps_the_value_to_itself() {
    let secret = "the title of somebody's task";
    let error = parse(&with("/data/task_snapshot/status", json!(secret))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "payload does not fit at `/data/task_snapshot/status`"
    );
    assert!(
        error.misfit().unwrap().message.contains(secret),
        "the dead letter tells more"
    );
}

#[test]
fn a_damaged_trace_costs_a_link_and_not_the_event() {
    for traceparent in [json!(1), json!("00-0-0-0"), json!({}), json!(null)] {
        let event = parse(&with("/traceparent", traceparent)).unwrap();
        assert_eq!(event.context.traceparent, None);
    }
}

#[test]
fn what_a_hop_may_change_is_not_asked_for() {
    let expected = parse(&weekly()).unwrap();
    for attribute in ["/partitionkey", "/dataschema", "/datacontenttype"] {
        assert_eq!(parse(&with(attribute, json!(null))), Ok(expected.clone()));
    }
    assert_eq!(parse(&with("/pubsubname", json!("kafka-pubsub"))), Ok(expected));
}

#[test]
fn what_is_not_there_may_be_null() {
    let mut value = golden::written(&golden::bare());
    let expected = parse(&value).unwrap();
    for field in ["due", "series", "recurrence", "completed_at"] {
        value["data"]["task_snapshot"][field] = json!(null);
    }
    assert_eq!(parse(&value), Ok(expected));
}

/// PostgreSQL stores no such text, and a consumer could only try again and again.
#[test]
fn a_text_with_a_nul_is_refused_wherever_it_stands() {
    refuses("/comment", json!("a\0b"), "not_an_envelope", "/comment");
    refuses(
        "/data/later",
        json!([{ "a/b": "\0" }]),
        "payload_invalid",
        "/data/later/0/a~1b",
    );
    refuses(
        "/data/later",
        json!({ "\0": 1 }),
        "payload_invalid",
        "/data/later/\u{fffd}",
    );
    assert!(parse(&with("/data/task_snapshot/description", json!("\\u0000"))).is_ok());
}

/// A service that only passes tasks on reads what the domain refuses.
#[test]
fn limits_are_checked_on_the_way_into_the_domain() {
    for (field, value, place) in [
        ("title", json!(" "), "/title"),
        ("description", json!("\u{7}"), "/description"),
        ("tags", json!(["work", "\""]), "/tags/1"),
        (
            "due",
            json!({ "kind": "zoned", "local": "2026-11-30T09:00:00", "zone": "Mars/Olympus" }),
            "/due/zone",
        ),
        (
            "due",
            json!({ "kind": "instant", "at": "1969-12-31T23:59:59Z" }),
            "/due",
        ),
        (
            "reminders",
            json!([{ "kind": "before_due", "seconds": u64::MAX }]),
            "/reminders/0",
        ),
        ("series/id", json!("00000000-0000-0000-0000-000000000000"), "/series/id"),
        ("recurrence/rule", json!("FREQ=HOURLY"), "/recurrence/rule"),
        (
            "recurrence/rule",
            json!("FREQ=YEARLY;BYMONTH=2;BYDAY=MO;BYMONTHDAY=30"),
            "/recurrence",
        ),
    ] {
        let event = parse(&with(&format!("/data/task_snapshot/{field}"), value)).unwrap();
        let Body::Task(changed) = event.body else {
            panic!("it is a task event");
        };
        let Err(ParseError::PayloadInvalid(misfit)) = changed.snapshot.to_domain() else {
            panic!("the domain refuses {place}");
        };
        assert_eq!(misfit.pointer, format!("/data/task_snapshot{place}"));
    }
}

#[test]
fn an_unknown_zone_of_the_user_is_named() {
    let Body::Task(changed) = parse(&with("/data/task_snapshot/time_zone", json!("Mars/Olympus")))
        .unwrap()
        .body
    else {
        panic!("it is a task event");
    };
    let Err(ParseError::PayloadInvalid(misfit)) = changed.snapshot.user_zone() else {
        panic!("there is no such zone");
    };
    assert_eq!(misfit.pointer, "/data/task_snapshot/time_zone");
    assert!(changed.snapshot.to_domain().is_ok(), "only floating times need it");
}
