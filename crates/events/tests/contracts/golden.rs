//! Golden payloads: for each released version a few events as they were written then, which every later reader reads.

use std::time::Duration;

use domain::id::{SeriesId, TaskId, UserId};
use domain::recurrence::next::Occurrence;
use domain::recurrence::{Basis, CatchUp, MonthEnd, OccurrenceKey};
use domain::task::choices::{Priority, Status};
use domain::task::reminders::{Reminder, Reminders};
use domain::task::tags::Tags;
use domain::task::text::{Description, Title};
use domain::task::transition::{Change, ChangeKind};
use domain::task::{SeriesMembership, Task};
use domain::time::{Due, Zone};
use events::{Body, CONTRACTS, Context, Contract, Counter, Event, ReminderDue};
use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use serde_json::Value;

use crate::breaking::without_one;
use crate::folder::{Released, released, schema_of};
use crate::schemas::{closed, objections, validator};
use crate::tasks::{event_id, recurrence};

/// How the names of files with golden payloads end.
pub(crate) const SUFFIX: &str = ".golden.json";

/// The golden payloads of the current version of a contract, as events; those of the envelope are all the others.
pub(crate) fn payloads(contract: &Contract) -> Option<Value> {
    let events = events(contract);
    let values: Vec<Value> = events.iter().map(to_value).collect();
    (!values.is_empty()).then(|| values.into())
}

/// The event that tells of an update of this task, as it travels.
pub(crate) fn written(task: &Task) -> Value {
    let change = Change {
        kind: ChangeKind::Updated,
        task: task.clone(),
    };
    to_value(&Event::task_changed(&change, &home(), Counter::new(41).unwrap(), context(2)).unwrap())
}

fn to_value(event: &Event) -> Value {
    serde_json::from_slice(&event.to_json()).expect("events are JSON")
}

fn events(contract: &Contract) -> Vec<Event> {
    let changes = [bare(), weekly(), daily(), monthly(), urgent()].map(|task| Change {
        kind: ChangeKind::Updated,
        task,
    });
    let others = [bare(), weekly()].into_iter().flat_map(|task| {
        let created = Change {
            kind: ChangeKind::Created,
            task: task.clone(),
        };
        let now = task.updated_at + Duration::from_hours(1);
        [created, task.complete(now).expect("it is open"), task.delete(now)]
    });
    let told = changes.into_iter().chain(others).zip(1..).map(|(change, count)| {
        let user_sequence = Counter::new(40 + count).unwrap();
        Event::task_changed(&change, &home(), user_sequence, context(count)).unwrap()
    });
    let due = reminders().into_iter().zip(100..).map(|(reminder, count)| {
        let time = reminder.remind_at + Duration::from_millis(250);
        Event::reminder_due(reminder, time, context(count))
    });
    let all = told.chain(due);
    all.filter(|event| event.event_type().name == contract.name).collect()
}

pub(crate) fn context(count: i64) -> Context {
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let millisecond = 1_790_000_000_000 + u64::try_from(count).unwrap();
    Context {
        id: event_id(millisecond, [7; 10]),
        correlation_id: "3f6c1d1e-6a0b-4c55-9a53-0d9b1f0c2a11".parse().unwrap(),
        traceparent: (count % 2 == 0).then(|| traceparent.parse().unwrap()),
    }
}

/// Where the user of the golden payloads lives.
pub(crate) fn home() -> Zone {
    Zone::new("America/New_York").unwrap()
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn morning() -> DateTime {
    date(2026, 11, 30).at(9, 0, 0, 0)
}

/// Only what every task has.
pub(crate) fn bare() -> Task {
    Task {
        id: TaskId::new(1).unwrap(),
        user: UserId::new("user-456").unwrap(),
        title: Title::new("Buy milk").unwrap(),
        description: Description::default(),
        status: Status::Open,
        priority: Priority::None,
        tags: Tags::default(),
        due: None,
        reminders: Reminders::default(),
        series: None,
        recurrence: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
        completed_at: None,
    }
}

/// Everything that an open task can have.
pub(crate) fn weekly() -> Task {
    let skipped = [date(2026, 12, 7).at(9, 0, 0, 0), date(2026, 12, 24).at(9, 0, 0, 0)];
    let choices = (MonthEnd::Clamp, Basis::FixedSchedule, CatchUp::One);
    let exceptions = skipped.map(OccurrenceKey::new).into();
    Task {
        id: TaskId::new(123).unwrap(),
        title: Title::new("Weekly team meeting").unwrap(),
        description: Description::new("Agenda:\n\t\"client presentation\"").unwrap(),
        priority: Priority::High,
        tags: Tags::new(["work", "deep work"]).unwrap(),
        due: Some(Due::Zoned {
            local: morning(),
            zone: Zone::new("Europe/Berlin").unwrap(),
        }),
        reminders: Reminders::new([
            Reminder::At(at(600)),
            Reminder::BeforeDue(Duration::ZERO),
            Reminder::BeforeDue(Duration::from_mins(90)),
        ])
        .unwrap(),
        series: Some(membership()),
        recurrence: Some(recurrence("FREQ=WEEKLY;BYDAY=MO,TH", morning(), choices, exceptions)),
        version: 7,
        updated_at: at(60),
        ..bare()
    }
}

fn membership() -> SeriesMembership {
    let series: SeriesId = "0197c1a0-0000-7000-8000-000000000001".parse().unwrap();
    let key = OccurrenceKey::new(morning());
    let occurrence = Occurrence { key, ordinal: 3 };
    SeriesMembership { series, occurrence }
}

fn daily() -> Task {
    let choices = (MonthEnd::Last, Basis::AfterCompletion, CatchUp::All);
    Task {
        priority: Priority::Low,
        due: Some(Due::Instant(at(3_600))),
        series: Some(membership()),
        recurrence: Some(recurrence(
            "FREQ=DAILY;INTERVAL=2;COUNT=10",
            morning(),
            choices,
            [].into(),
        )),
        ..bare()
    }
}

fn monthly() -> Task {
    let choices = (MonthEnd::Skip, Basis::FixedSchedule, CatchUp::None);
    let rule = "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20281231T235959";
    Task {
        priority: Priority::Medium,
        due: Some(Due::Floating(morning())),
        series: Some(membership()),
        recurrence: Some(recurrence(rule, morning(), choices, [].into())),
        ..bare()
    }
}

/// Completed, with the largest numbers and letters from everywhere.
fn urgent() -> Task {
    Task {
        id: TaskId::new(TaskId::MAX).unwrap(),
        user: UserId::new("auth0|ünï✓").unwrap(),
        title: Title::new("Ξυπνήστε, 起きて, استيقظوا 🔔").unwrap(),
        status: Status::Completed,
        priority: Priority::Urgent,
        version: Counter::MAX,
        updated_at: at(120),
        completed_at: Some(at(119)),
        ..bare()
    }
}

fn reminders() -> [ReminderDue; 2] {
    let task = weekly();
    let with_due = ReminderDue {
        task_id: task.id,
        user_id: task.user.clone(),
        version: Counter::new(task.version).unwrap(),
        title: task.title.to_string(),
        due_at: Some(at(6_000)),
        remind_at: at(600),
    };
    let without_due = ReminderDue {
        due_at: None,
        ..with_due.clone()
    };
    [with_due, without_due]
}

fn golden(name: &str) -> Vec<Value> {
    let all = released(Released::Golden);
    let found = all.get(name).unwrap_or_else(|| panic!("{name} is released"));
    found.as_array().expect("it is a list of events").clone()
}

fn parse(value: &Value) -> Event {
    Event::parse(value.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {error:?} in {value:#}"))
}

#[test]
fn golden_payloads_of_every_version_are_read() {
    let mut read = 0;
    for name in released(Released::Golden).keys() {
        for value in golden(name) {
            if let Body::Task(changed) = parse(&value).body {
                changed.snapshot.to_domain().unwrap();
            }
            read += 1;
        }
    }
    assert!(read >= 13, "only {read} golden payloads were found");
}

#[test]
fn golden_payloads_of_the_current_version_are_read_as_what_was_written() {
    for contract in &CONTRACTS {
        let expected = events(contract);
        if expected.is_empty() {
            continue;
        }
        let name = contract.file_name().replace(".json", SUFFIX);
        let read: Vec<Event> = golden(&name).iter().map(parse).collect();
        assert_eq!(read, expected, "{name}");
    }
}

#[test]
fn golden_payloads_fit_their_schema_and_hold_nothing_else() {
    let schemas = released(Released::Schema);
    let envelope = closed(CONTRACTS[5].schema());
    for name in released(Released::Golden).keys() {
        let payload = validator(&closed(schemas[&schema_of(name)].clone()));
        for value in golden(name) {
            assert_eq!(objections(&payload, &value["data"]), [""; 0], "{name}: {value:#}");
            assert_eq!(objections(&validator(&envelope), &value), [""; 0], "{name}: {value:#}");
        }
    }
}

/// Otherwise a reader that lost one of them would read the golden payloads still.
#[test]
fn golden_payloads_show_every_field_and_every_choice() {
    for contract in CONTRACTS
        .iter()
        .filter(|it| it.name.contains("updated") || it.name.contains("reminder"))
    {
        let name = contract.file_name().replace(".json", SUFFIX);
        let golden = golden(&name);
        for (pointer, mutant) in without_one(&closed(contract.schema())) {
            let parent = pointer.rsplit('/').nth(1);
            if parent == Some("properties") || parent == Some("oneOf") {
                let mutant = validator(&mutant);
                let misses = golden
                    .iter()
                    .any(|value| !objections(&mutant, &value["data"]).is_empty());
                assert!(misses, "{name} shows nothing of {pointer}");
            }
        }
    }
}

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes>
#[test]
fn attributes_have_names_and_types_of_cloudevents() {
    for value in released(Released::Golden).keys().flat_map(|name| golden(name)) {
        for (name, value) in value.as_object().unwrap().iter().filter(|(name, _)| *name != "data") {
            let plain = name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            assert!(plain && name.len() <= 20, "{name} is a name of CloudEvents");
            let text = value
                .as_str()
                .is_some_and(|it| !it.is_empty() && !it.contains(char::is_control));
            let integer = value.as_i64().is_some_and(|it| i32::try_from(it).is_ok());
            assert!(
                text || integer || value.is_boolean(),
                "{name}: {value} has a type of CloudEvents"
            );
        }
    }
}

#[test]
fn every_type_of_the_catalogue_has_a_contract() {
    let contracts: Vec<&str> = CONTRACTS.iter().map(|it| it.name).collect();
    let types = catalogue::event_types::ALL.iter().map(|it| it.name);
    assert_eq!(contracts, types.chain(["dev.taskflow.envelope.v1"]).collect::<Vec<_>>());
}
