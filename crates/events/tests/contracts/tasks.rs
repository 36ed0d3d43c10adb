//! Tasks for events: any that the domain allows, and a few chosen ones.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::id::{SeriesId, TaskId, UserId};
use domain::recurrence::next::Occurrence;
use domain::recurrence::rule::Rule;
use domain::recurrence::{Basis, CatchUp, MonthEnd, OccurrenceKey, Recurrence, Terms};
use domain::task::choices::{Priority, Status};
use domain::task::reminders::{Reminder, Reminders};
use domain::task::tags::Tags;
use domain::task::text::{Description, Title};
use domain::task::transition::{Change, ChangeKind};
use domain::task::{SeriesMembership, Task};
use domain::time::{Due, Zone};
use events::{Context, CorrelationId, Counter, Event, EventId, ReminderDue};
use jiff::Timestamp;
use jiff::civil::DateTime;
use proptest::prelude::*;
use proptest::{collection, option, sample};
use uuid::Uuid;

/// 9999-12-30T21:59:59Z: a moment before the last one that fits into four digits of year in every zone.
const LAST_SECOND: i64 = 253_402_207_199;

/// Any event that our services can write.
pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    let changed = (any_change(), any_zone(), any_counter(), any_context());
    let changed = changed.prop_map(|(change, zone, user_sequence, context)| {
        Event::task_changed(&change, &zone, user_sequence, context).expect("the version is a counter")
    });
    let due = (any_reminder_due(), any_instant(), any_context());
    let due = due.prop_map(|(reminder, time, context)| Event::reminder_due(reminder, time, context));
    prop_oneof![4 => changed, 1 => due]
}

fn any_reminder_due() -> impl Strategy<Value = ReminderDue> {
    let ids = (any_task_id(), any_user(), any_counter());
    let rest = (any_title(), option::of(any_second()), any_second());
    (ids, rest).prop_map(
        |((task_id, user_id, version), (title, due_at, remind_at))| ReminderDue {
            task_id,
            user_id,
            version,
            title: title.to_string(),
            due_at,
            remind_at,
        },
    )
}

pub(crate) fn any_context() -> impl Strategy<Value = Context> {
    let traceparent =
        "00-[0-9a-f]{31}[1-9a-f]-[1-9a-f][0-9a-f]{15}-0[01]".prop_map(|it| it.parse().expect("it is one"));
    let correlation_id = "[!-~]{1,128}".prop_map(|it| it.parse::<CorrelationId>().expect("it is one"));
    (
        0..1_u64 << 47,
        any::<[u8; 10]>(),
        correlation_id,
        option::of(traceparent),
    )
        .prop_map(|(millisecond, random, correlation_id, traceparent)| Context {
            id: event_id(millisecond, random),
            correlation_id,
            traceparent,
        })
}

pub(crate) fn event_id(millisecond: u64, random: [u8; 10]) -> EventId {
    let uuid = uuid::Builder::from_unix_timestamp_millis(millisecond, &random).into_uuid();
    EventId::try_from(uuid).expect("it has version 7")
}

fn any_change() -> impl Strategy<Value = Change> {
    (sample::select(&ChangeKind::ALL[..]), any_task()).prop_map(|(kind, task)| Change { kind, task })
}

/// Any task in the form that the domain gives it; not all of them can come about.
pub(crate) fn any_task() -> impl Strategy<Value = Task> {
    let ids = (any_task_id(), any_user(), any_counter());
    let texts = (
        any_title(),
        any_description(),
        any_tags(),
        sample::select(&Priority::ALL[..]),
    );
    let times = (
        option::of(any_due()),
        any_reminders(),
        any_instant(),
        any_instant(),
        option::of(any_instant()),
    );
    let series = (option::of(any_membership()), option::of(any_recurrence()));
    (ids, texts, times, series).prop_map(|(ids, texts, times, (series, recurrence))| {
        let (id, user, version) = ids;
        let (title, description, tags, priority) = texts;
        let (due, reminders, created_at, updated_at, completed_at) = times;
        let status = if completed_at.is_some() {
            Status::Completed
        } else {
            Status::Open
        };
        Task {
            id,
            user,
            title,
            description,
            status,
            priority,
            tags,
            due,
            reminders,
            series,
            recurrence,
            version: version.get(),
            created_at,
            updated_at,
            completed_at,
        }
    })
}

fn any_task_id() -> impl Strategy<Value = TaskId> {
    let number = prop_oneof![1..100_i64, 1..=TaskId::MAX, Just(TaskId::MAX)];
    number.prop_map(|it| TaskId::new(it).expect("it is in range"))
}

fn any_counter() -> impl Strategy<Value = Counter> {
    let count = prop_oneof![1..100_i64, 1..=Counter::MAX, Just(Counter::MAX)];
    count.prop_map(|it| Counter::new(it).expect("it is in range"))
}

fn any_user() -> impl Strategy<Value = UserId> {
    "\\PC{1,255}".prop_filter_map("no user id", |it| UserId::new(it).ok())
}

fn any_title() -> impl Strategy<Value = Title> {
    "\\PC{1,100}".prop_filter_map("no title", |it| Title::new(&it).ok())
}

fn any_description() -> impl Strategy<Value = Description> {
    "(\\PC|[\t\n\"\\\\]){0,100}".prop_filter_map("no description", |it| Description::new(&it).ok())
}

fn any_tags() -> impl Strategy<Value = Tags> {
    collection::vec("\\PC{1,20}", 0..4).prop_filter_map("no tags", |it| Tags::new(it).ok())
}

/// An instant in the resolution of the database.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let microsecond = 0..LAST_SECOND * 1_000_000;
    microsecond.prop_map(|it| Timestamp::from_microsecond(it).expect("it is in range"))
}

fn any_second() -> impl Strategy<Value = Timestamp> {
    (0..LAST_SECOND).prop_map(|it| Timestamp::from_second(it).expect("it is in range"))
}

fn any_local() -> impl Strategy<Value = DateTime> {
    any_second().prop_map(|it| Zone::UTC.local(it))
}

pub(crate) fn any_zone() -> impl Strategy<Value = Zone> {
    let zone = sample::select(vec![
        "UTC",
        "Europe/Berlin",
        "America/Santiago",
        "Asia/Kathmandu",
        "Pacific/Apia",
    ]);
    zone.prop_map(|it| Zone::new(it).expect("it is a zone"))
}

fn any_due() -> impl Strategy<Value = Due> {
    prop_oneof![
        any_second().prop_map(Due::Instant),
        (any_local(), any_zone()).prop_map(|(local, zone)| Due::Zoned { local, zone }),
        any_local().prop_map(Due::Floating),
    ]
}

fn any_reminders() -> impl Strategy<Value = Reminders> {
    let most = Reminder::MAX_BEFORE_DUE.as_secs();
    let reminder = prop_oneof![
        any_second().prop_map(Reminder::At),
        (0..=most).prop_map(|it| Reminder::BeforeDue(Duration::from_secs(it))),
    ];
    collection::vec(reminder, 0..5).prop_map(|it| Reminders::new(it).expect("each is in range"))
}

fn any_membership() -> impl Strategy<Value = SeriesMembership> {
    let series = any::<[u8; 16]>().prop_filter_map("no series", |it| SeriesId::new(Uuid::from_bytes(it)).ok());
    (series, any_local(), 1..=u32::MAX).prop_map(|(series, local, ordinal)| {
        let key = OccurrenceKey::new(local);
        let occurrence = Occurrence { key, ordinal };
        SeriesMembership { series, occurrence }
    })
}

fn any_recurrence() -> impl Strategy<Value = Recurrence> {
    let rule = sample::select(vec![
        "FREQ=DAILY",
        "FREQ=DAILY;INTERVAL=3;COUNT=10",
        "FREQ=WEEKLY;BYDAY=MO,TH;WKST=SU",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=99991231T235959",
        "FREQ=MONTHLY;BYDAY=2TU",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    ]);
    let anchor = any_local().prop_filter("series begin by 9900", |it| it.year() <= 9900);
    let month_end = sample::select(vec![MonthEnd::Clamp, MonthEnd::Last, MonthEnd::Skip]);
    let basis = sample::select(vec![Basis::FixedSchedule, Basis::AfterCompletion]);
    let catch_up = sample::select(vec![CatchUp::One, CatchUp::All, CatchUp::None]);
    let exceptions = collection::btree_set(any_local().prop_map(OccurrenceKey::new), 0..4);
    let terms = (rule, anchor, month_end, basis, catch_up, exceptions);
    terms.prop_map(|(rule, anchor, month_end, basis, catch_up, exceptions)| {
        recurrence(rule, anchor, (month_end, basis, catch_up), exceptions)
    })
}

pub(crate) fn recurrence(
    rule: &str,
    anchor: DateTime,
    (month_end, basis, catch_up): (MonthEnd, Basis, CatchUp),
    exceptions: BTreeSet<OccurrenceKey>,
) -> Recurrence {
    let terms = Terms {
        rule: Rule::parse(rule, &Zone::UTC).expect("it is a rule"),
        anchor,
        month_end,
        basis,
        catch_up,
        exceptions,
    };
    Recurrence::new(terms).expect("it names a date")
}
