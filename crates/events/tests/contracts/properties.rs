//! Any event survives: written, validated by every schema of its major version, read.

use std::collections::BTreeMap;

use catalogue::topics::MAX_EVENT_BYTES;
use domain::id::UserId;
use domain::recurrence::{Basis, CatchUp, MAX_EXCEPTIONS, MonthEnd, OccurrenceKey};
use domain::task::Task;
use domain::task::reminders::{Reminder, Reminders};
use domain::task::tags::{Tag, Tags};
use domain::task::text::{Description, Title};
use domain::task::transition::{Change, ChangeKind};
use domain::time::Zone;
use events::{Body, CONTRACTS, Counter, Event, ParseError};
use jiff::ToSpan as _;
use jsonschema::Validator;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::folder::{Released, released};
use crate::golden::{self, at};
use crate::schemas::{closed, objections, validator};
use crate::tasks::{any_context, any_event, any_task, any_zone, recurrence};

/// For each type: the schemas that its events must fit, those of all its minor versions and the closed current one.
fn judges() -> BTreeMap<&'static str, Vec<Validator>> {
    let released = released(Released::Schema);
    let of = |name: &'static str, current: Value| {
        let versions = format!("{name}.");
        let all = released.iter().filter(|(file, _)| file.starts_with(&versions));
        let mut judges: Vec<Validator> = all.map(|(_, schema)| validator(schema)).collect();
        judges.push(validator(&closed(current)));
        (name, judges)
    };
    CONTRACTS
        .iter()
        .map(|contract| of(contract.name, contract.schema()))
        .collect()
}

#[test]
fn any_event_is_written_fits_its_schemas_and_is_read() {
    let judges = judges();
    let envelope = &judges["dev.taskflow.envelope.v1"];
    let run = |event: Event| {
        let json = event.to_json();
        let value: Value = serde_json::from_slice(&json).expect("it is JSON");
        for judge in envelope {
            prop_assert_eq!(objections(judge, &value), [""; 0]);
        }
        for judge in &judges[event.event_type().name] {
            prop_assert_eq!(objections(judge, &value["data"]), [""; 0]);
        }
        prop_assert_eq!(Event::parse(&json), Ok(event));
        Ok(())
    };
    TestRunner::default().run(&any_event(), run).unwrap();
}

proptest! {
    #[test]
    fn any_task_comes_back_from_an_event(task in any_task(), zone in any_zone(), context in any_context()) {
        let change = Change { kind: ChangeKind::Updated, task };
        let event = Event::task_changed(&change, &zone, Counter::new(1).unwrap(), context).unwrap();
        let Body::Task(changed) = Event::parse(&event.to_json()).unwrap().body else {
            panic!("it is a task event");
        };
        prop_assert_eq!(changed.snapshot.to_domain(), Ok(change.task));
        prop_assert_eq!(changed.snapshot.user_zone(), Ok(zone));
    }

    #[test]
    fn fields_of_a_later_version_are_ignored(event in any_event(), name in "[a-z]{3,9}_later", number in 0..99) {
        let mut value: Value = serde_json::from_slice(&event.to_json()).unwrap();
        add_everywhere(&mut value, &name, &json!({ "number": number }));
        value["data"]["schema_version"] = json!(format!("1.{number}"));
        prop_assert_eq!(Event::parse(value.to_string().as_bytes()), Ok(event));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(record in any::<Vec<u8>>()) {
        prop_assert!(Event::parse(&record).is_err());
    }
}

#[test]
fn the_largest_event_fits_into_a_record() {
    const HEADERS: usize = 64 * 1024;
    let tags = (0..Tags::MAX).map(|it| format!("{it:02}{}", "𝄞".repeat(Tag::MAX_CHARS - 2)));
    let reminders = (0..Reminders::MAX).map(|it| Reminder::At(at(i64::try_from(it).unwrap())));
    let day = Zone::UTC.local(at(0));
    let days = (0..MAX_EXCEPTIONS).map(|it| day + i64::try_from(it).unwrap().days());
    let choices = (MonthEnd::Clamp, Basis::AfterCompletion, CatchUp::None);
    let task = Task {
        user: UserId::new("𝄞".repeat(UserId::MAX_CHARS)).unwrap(),
        title: Title::new(&"𝄞".repeat(Title::MAX_CHARS)).unwrap(),
        description: Description::new(&"\"".repeat(Description::MAX_BYTES)).unwrap(),
        tags: Tags::new(tags).unwrap(),
        reminders: Reminders::new(reminders).unwrap(),
        recurrence: Some(recurrence(
            "FREQ=DAILY",
            day,
            choices,
            days.map(OccurrenceKey::new).collect(),
        )),
        ..golden::weekly()
    };
    let change = Change {
        kind: ChangeKind::Updated,
        task,
    };
    let event = Event::task_changed(
        &change,
        &golden::home(),
        Counter::new(Counter::MAX).unwrap(),
        golden::context(2),
    )
    .unwrap();
    let size = event.to_json().len();
    let most = usize::try_from(MAX_EVENT_BYTES).unwrap();
    assert!(size > 400_000, "{size}: the description doubles");
    assert!(size + HEADERS < most, "{size} bytes and headers of a record of {most}");
}

/// Whatever single value of an event is damaged: it is refused with a reason, or still an event.
#[test]
fn a_damaged_event_makes_no_reader_panic() {
    let damages = [
        json!(null),
        json!(-1),
        json!(1e300),
        json!("\0"),
        json!([]),
        json!({ "kind": "zoned" }),
    ];
    let mut refused = 0;
    for value in released(Released::Golden)
        .values()
        .flat_map(|golden| golden.as_array().unwrap())
    {
        for pointer in pointers(value) {
            for damage in &damages {
                let mut value = value.clone();
                *value.pointer_mut(&pointer).unwrap() = damage.clone();
                match Event::parse(value.to_string().as_bytes()) {
                    Ok(Event {
                        body: Body::Task(changed),
                        ..
                    }) => drop(changed.snapshot.to_domain()),
                    Ok(_) => {}
                    Err(error) => {
                        assert!(ParseError::REASONS.contains(&error.reason()));
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 500, "only {refused} were refused");
}

/// Every place in a value.
fn pointers(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, it)| (name.clone(), it)).collect(),
        Value::Array(array) => array
            .iter()
            .enumerate()
            .map(|(index, it)| (index.to_string(), it))
            .collect(),
        _ => Vec::new(),
    };
    let below = inner.into_iter().flat_map(|(name, it)| {
        let below = pointers(it).into_iter();
        below.map(move |pointer| format!("/{name}{pointer}"))
    });
    [String::new()].into_iter().chain(below).collect()
}

fn add_everywhere(value: &mut Value, name: &str, field: &Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(|it| add_everywhere(it, name, field));
            object.insert(name.to_owned(), field.clone());
        }
        Value::Array(array) => array.iter_mut().for_each(|it| add_everywhere(it, name, field)),
        _ => {}
    }
}
