//! Any sequence of wishes keeps what the task promises.

use jiff::ToSpan as _;
use proptest::prelude::*;

use super::*;
use crate::task::choices::{Priority, Status};
use crate::task::draft::{Patch, TaskPatch};
use crate::task::tags::Tags;
use crate::task::text::Description;
use crate::task::transition::ChangeKind;

#[derive(Debug, Clone)]
enum Wish {
    Update(Box<TaskPatch>),
    Complete,
    Reopen,
    Snooze(Timestamp),
}

/// Few values for each field, so that wishes often repeat what is already so.
fn any_patch() -> impl Strategy<Value = TaskPatch> {
    let texts = (prop::option::of(any_title()), prop::option::of("[ab]{0,1}"));
    let priority = prop::option::of(prop::sample::select(Priority::ALL.to_vec()));
    let tags = prop::option::of(prop::collection::vec("[ab]", 0..3));
    let rest = (
        any_patch_of(any_due()),
        prop::option::of(any_reminders()),
        any_patch_of(any_recurrence()),
    );
    (texts, priority, tags, rest).prop_map(|((title, description), priority, tags, (due, reminders, recurrence))| {
        TaskPatch {
            title,
            description: description.map(|text| Description::new(&text).unwrap()),
            priority,
            tags: tags.map(|tags| Tags::new(tags).unwrap()),
            due,
            reminders,
            recurrence,
        }
    })
}

fn any_patch_of<T: Clone + std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Patch<T>> {
    prop::option::of(prop::option::of(value)).prop_map(|field| match field {
        None => Patch::Keep,
        Some(None) => Patch::Clear,
        Some(Some(value)) => Patch::Set(value),
    })
}

fn any_title() -> impl Strategy<Value = Title> {
    "[ab]".prop_map(|text| Title::new(&text).unwrap())
}

fn any_local() -> impl Strategy<Value = DateTime> {
    (0..3_i32).prop_map(|days| MORNING.saturating_add(days.days()))
}

fn any_due() -> impl Strategy<Value = Due> {
    prop_oneof![
        any_local().prop_map(|local| Due::Instant(Zone::UTC.instant(local))),
        any_local().prop_map(in_berlin),
        any_local().prop_map(Due::Floating),
    ]
}

fn any_reminders() -> impl Strategy<Value = Reminders> {
    let reminder = prop_oneof![
        (0..2_i64).prop_map(|second| Reminder::At(at(second))),
        (0..2_u64).prop_map(|hours| Reminder::BeforeDue(std::time::Duration::from_hours(hours))),
    ];
    prop::collection::vec(reminder, 0..3).prop_map(|reminders| Reminders::new(reminders).unwrap())
}

fn any_recurrence() -> impl Strategy<Value = Recurrence> {
    (prop::sample::select(vec!["FREQ=DAILY", "FREQ=MONTHLY"]), any_local())
        .prop_map(|(rule, anchor)| recurrence(rule, anchor))
}

fn any_wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        3 => any_patch().prop_map(|patch| Wish::Update(Box::new(patch))),
        1 => Just(Wish::Complete),
        1 => Just(Wish::Reopen),
        1 => any_local().prop_map(|local| Wish::Snooze(berlin().instant(local))),
    ]
}

fn any_task() -> impl Strategy<Value = Task> {
    let patches = prop::collection::vec(any_patch(), 0..3);
    (prop_oneof![Just(draft()), Just(monthly())], patches).prop_map(|(draft, patches)| {
        patches.into_iter().fold(created(draft), |task, patch| {
            let change = task.update(patch, series(2), at(0));
            change.ok().flatten().map_or(task, |change| change.task)
        })
    })
}

/// What a wish does; `None` when it changes nothing or is refused.
fn grant(task: &Task, wish: Wish, new_series: SeriesId, now: Timestamp) -> Option<Change> {
    match wish {
        Wish::Update(patch) => task.update(*patch, new_series, now).ok().flatten(),
        Wish::Complete => task.complete(now),
        Wish::Reopen => task.reopen(now),
        Wish::Snooze(until) => task.snooze(until, &berlin(), now).ok().flatten(),
    }
}

/// The task without the traces that every change leaves.
fn content(task: &Task) -> Task {
    Task {
        version: 0,
        updated_at: at(0),
        ..task.clone()
    }
}

fn assert_whole(task: &Task) {
    let relative = task.reminders.as_slice().iter().any(Reminder::is_relative);
    assert!(task.due.is_some() || !relative && task.recurrence.is_none());
    assert!(task.series.is_some() || task.recurrence.is_none());
    assert_eq!(task.completed_at.is_some(), task.status == Status::Completed);
    assert!(task.created_at <= task.updated_at);
    assert!(task.due.clone().is_none_or(|due| due.clone().checked() == Ok(due)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_change_is_one_version_and_nothing_else_is(
        task in any_task(),
        wishes in prop::collection::vec((any_wish(), -5..50_i64), 0..20),
    ) {
        let mut task = task;
        for (place, (wish, second)) in wishes.into_iter().enumerate() {
            let new_series = series(100 + place as u128);
            let Some(change) = grant(&task, wish, new_series, at(second)) else { continue };
            prop_assert_eq!(change.task.version, task.version + 1);
            prop_assert!(change.task.updated_at >= task.updated_at);
            prop_assert_ne!(content(&change.task), content(&task));
            prop_assert_eq!((&change.task.id, &change.task.user), (&task.id, &task.user));
            prop_assert_eq!(change.kind == ChangeKind::Completed, change.task.status > task.status);
            assert_whole(&change.task);
            task = change.task;
        }
    }

    #[test]
    fn the_same_patch_twice_changes_nothing_the_second_time(task in any_task(), patch in any_patch()) {
        let first = task.update(patch.clone(), series(3), at(1));
        let task = first.ok().flatten().map_or(task, |change| change.task);
        let second = task.update(patch, series(4), at(2));
        prop_assert!(second.is_err() || second == Ok(None), "{:?}", second);
    }

    #[test]
    fn completing_and_reopening_changes_nothing_but_the_version(task in any_task()) {
        let open = grant(&task, Wish::Reopen, series(3), at(1)).map_or(task, |change| change.task);
        let completed = open.complete(at(2)).unwrap().task;
        prop_assert_eq!(completed.complete(at(3)), None);
        let reopened = completed.reopen(at(3)).unwrap().task;
        prop_assert_eq!(content(&reopened), content(&open));
        prop_assert_eq!(reopened.version, open.version + 2);
        prop_assert_eq!(reopened.reopen(at(4)), None);
    }

    #[test]
    fn an_empty_patch_changes_nothing(task in any_task()) {
        prop_assert_eq!(task.update(TaskPatch::default(), series(3), at(1)), Ok(None));
    }

    #[test]
    fn a_next_instance_is_whole_and_untouched(task in any_task(), days in 1..400_i32) {
        let (Some(place), Some(done)) = (task.series, task.complete(at(1))) else { return Ok(()) };
        let key = OccurrenceKey::new(place.occurrence.key.get().saturating_add(days.days()));
        let occurrence = Occurrence { key, ordinal: place.occurrence.ordinal + 1 };
        let Ok(change) = done.task.occurrence(task_id(2), SeriesMembership { occurrence, ..place }, at(1), at(2)) else {
            prop_assert!(task.recurrence.is_none());
            return Ok(());
        };
        assert_whole(&change.task);
        prop_assert!(change.task.is_untouched());
        prop_assert_eq!(change.task.due.as_ref().map(Due::local), Some(key.get()));
        prop_assert!(change.task.due.unwrap().is_like(&task.due.unwrap()));
    }
}
