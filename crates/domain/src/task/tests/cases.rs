//! Single transitions, each with what it must and must not do.

use jiff::ToSpan as _;

use super::*;
use crate::task::choices::{Priority, Status};
use crate::task::draft::{Patch, TaskPatch};
use crate::task::problem::{Field, ProblemCode, Problems};
use crate::task::transition::{ChangeKind, OccurrenceError, SnoozeError};

fn found(problems: &Problems) -> Vec<(Field, ProblemCode)> {
    problems.iter().map(|problem| (problem.field, problem.code)).collect()
}

#[test]
fn a_new_task_is_open_and_untouched() {
    let task = created(draft());
    assert_eq!((task.status, task.version, task.series), (Status::Open, 1, None));
    assert!(task.is_untouched());
    assert_eq!(created(monthly()).series, Some(membership(1, MORNING, 1)));
}

#[test]
fn what_needs_a_due_time_is_refused_without_one_all_at_once() {
    let expected = [
        (Field::Reminders, ProblemCode::RequiresDue),
        (Field::Recurrence, ProblemCode::RequiresDue),
    ];
    let draft = TaskDraft { due: None, ..monthly() };
    let user = UserId::new("anna").unwrap();
    let problems = Task::create(task_id(1), user, draft, series(1), at(0)).unwrap_err();
    assert_eq!(found(&problems), expected);

    let patch = TaskPatch {
        due: Patch::Clear,
        ..TaskPatch::default()
    };
    let problems = created(monthly()).update(patch, series(2), at(1)).unwrap_err();
    assert_eq!(found(&problems), expected);
    assert_eq!(
        problems.to_string(),
        "/reminders with a time before the due time need a due time; /recurrence needs a due time to begin at"
    );
}

#[test]
fn a_due_time_out_of_range_is_refused_and_fractions_are_dropped() {
    let patch = |due| TaskPatch {
        due: Patch::Set(Due::Floating(due)),
        ..TaskPatch::default()
    };
    let task = created(draft());
    let problems = task
        .update(patch(datetime(1969, 1, 1, 0, 0, 0, 0)), series(2), at(1))
        .unwrap_err();
    assert_eq!(found(&problems), [(Field::Due, ProblemCode::OutOfRange)]);
    let task = after(
        task.update(patch(datetime(2026, 1, 31, 9, 0, 0, 5)), series(2), at(1))
            .unwrap(),
    );
    assert_eq!(task.due, Some(Due::Floating(MORNING)));
    assert_eq!(
        task.update(patch(datetime(2026, 1, 31, 9, 0, 0, 7)), series(2), at(2)),
        Ok(None)
    );
}

#[test]
fn completing_a_task_twice_changes_nothing() {
    let change = created(draft()).complete(at(5)).unwrap();
    assert_eq!(change.kind, ChangeKind::Completed);
    assert_eq!((change.task.version, change.task.completed_at), (2, Some(at(5))));
    assert_eq!(change.task.complete(at(6)), None);
}

#[test]
fn reopening_restores_the_task() {
    let task = created(monthly());
    assert_eq!(task.reopen(at(5)), None);
    let change = after(task.complete(at(5))).reopen(at(6)).unwrap();
    assert_eq!(change.kind, ChangeKind::Updated);
    let restored = Task {
        version: 3,
        updated_at: at(6),
        ..task
    };
    assert_eq!(change.task, restored);
    assert!(!change.task.is_untouched());
}

#[test]
fn a_deletion_is_one_version_later() {
    let change = created(draft()).delete(at(5));
    assert_eq!((change.kind, change.task.version), (ChangeKind::Deleted, 2));
}

#[test]
fn a_clock_that_was_put_back_does_not_show() {
    let task = after(created(draft()).complete(at(-100)));
    assert_eq!((task.updated_at, task.completed_at), (at(0), Some(at(0))));
}

#[test]
fn instants_have_the_resolution_of_the_database() {
    let now = at(0).checked_add(1_234_567.nanoseconds()).unwrap();
    let user = UserId::new("anna").unwrap();
    let task = Task::create(task_id(1), user, draft(), series(1), now).unwrap().task;
    assert_eq!(task.created_at.subsec_nanosecond(), 1_234_000);
    assert_eq!(after(task.complete(now)).completed_at, Some(task.created_at));
}

#[test]
fn snoozing_moves_the_due_time_and_not_the_series() {
    let task = created(monthly());
    let until = in_berlin(datetime(2026, 2, 1, 18, 0, 0, 0)).at(&Zone::UTC);
    let change = task.snooze(until, &Zone::UTC, at(1)).unwrap().unwrap();
    assert_eq!(change.kind, ChangeKind::Updated);
    assert_eq!(change.task.due, Some(in_berlin(datetime(2026, 2, 1, 18, 0, 0, 0))));
    assert_eq!(
        (change.task.series, change.task.recurrence.clone()),
        (task.series, task.recurrence)
    );
    assert_eq!(change.task.snooze(until, &Zone::UTC, at(2)), Ok(None));
}

#[test]
fn snoozing_a_floating_task_is_on_the_clock_of_its_user() {
    let task = created(TaskDraft {
        due: Some(Due::Floating(MORNING)),
        ..draft()
    });
    let until = "2026-01-31T10:00:00.5Z".parse().unwrap();
    let task = after(task.snooze(until, &berlin(), at(0)).unwrap());
    assert_eq!(task.due, Some(Due::Floating(datetime(2026, 1, 31, 11, 0, 0, 0))));
}

#[test]
fn some_tasks_cannot_be_snoozed() {
    let utc = &Zone::UTC;
    let task = created(monthly());
    let later = in_berlin(MORNING).at(utc);
    assert_eq!(created(draft()).snooze(later, utc, at(1)), Err(SnoozeError::WithoutDue));
    assert_eq!(
        after(task.complete(at(1))).snooze(later, utc, at(1)),
        Err(SnoozeError::Completed)
    );
    assert_eq!(task.snooze(at(1), utc, at(1)), Err(SnoozeError::Past));
    assert_eq!(task.snooze(Timestamp::MIN, utc, at(1)), Err(SnoozeError::Past));
    // 2:40, for the second time that night, reads as its first pass, which is over.
    let second_pass = "2026-10-25T01:40:00Z".parse().unwrap();
    let between = "2026-10-25T01:20:00Z".parse().unwrap();
    assert_eq!(task.snooze(second_pass, utc, between), Err(SnoozeError::Past));
}

#[test]
fn moving_one_instance_leaves_its_series_alone() {
    let task = created(monthly());
    let patch = TaskPatch {
        due: Patch::Set(Due::Floating(datetime(2026, 2, 3, 12, 0, 0, 0))),
        ..TaskPatch::default()
    };
    let moved = after(task.update(patch, series(2), at(1)).unwrap());
    assert_eq!((moved.series, moved.recurrence), (task.series, task.recurrence));
}

#[test]
fn a_rule_that_is_sent_again_begins_no_new_series() {
    let until = in_berlin(datetime(2026, 2, 1, 18, 0, 0, 0)).at(&Zone::UTC);
    let moved = after(created(monthly()).snooze(until, &Zone::UTC, at(1)).unwrap());
    let local = moved.due.as_ref().unwrap().local();
    let same = TaskPatch {
        due: Patch::Set(moved.due.clone().unwrap()),
        recurrence: Patch::Set(recurrence("FREQ=MONTHLY", local)),
        ..TaskPatch::default()
    };
    assert_eq!(moved.update(same, series(2), at(2)), Ok(None));

    let mut terms = recurrence("FREQ=MONTHLY", local).into_terms();
    terms.catch_up = CatchUp::All;
    let other_policy = TaskPatch {
        recurrence: Patch::Set(Recurrence::new(terms).unwrap()),
        ..TaskPatch::default()
    };
    let task = after(moved.update(other_policy, series(2), at(2)).unwrap());
    assert_eq!(task.series, moved.series);
    assert_eq!(task.recurrence.unwrap().terms().anchor, MORNING);
}

#[test]
fn other_dates_begin_a_new_series_at_the_due_time() {
    let task = created(monthly());
    let noon = datetime(2026, 2, 3, 12, 0, 0, 0);
    for (due, rule, month_end, begins) in [
        (Patch::Keep, "FREQ=WEEKLY", MonthEnd::Clamp, MORNING),
        (Patch::Keep, "FREQ=MONTHLY", MonthEnd::Last, MORNING),
        (Patch::Set(in_berlin(noon)), "FREQ=MONTHLY", MonthEnd::Clamp, noon),
    ] {
        let mut terms = recurrence(rule, begins).into_terms();
        terms.month_end = month_end;
        let recurrence = Patch::Set(Recurrence::new(terms).unwrap());
        let patch = TaskPatch {
            due,
            recurrence,
            ..TaskPatch::default()
        };
        let task = after(task.update(patch, series(2), at(1)).unwrap());
        assert_eq!(task.series, Some(membership(2, begins, 1)), "{rule}");
    }
}

#[test]
fn a_recurrence_taken_off_leaves_the_place_in_the_series() {
    let task = created(monthly());
    let patch = TaskPatch {
        recurrence: Patch::Clear,
        ..TaskPatch::default()
    };
    let single = after(task.update(patch, series(2), at(1)).unwrap());
    assert_eq!((single.series, &single.recurrence), (task.series, &None));
    let completed = after(single.complete(at(2)));
    let next = membership(1, datetime(2026, 2, 28, 9, 0, 0, 0), 2);
    assert_eq!(
        completed.occurrence(task_id(2), next, at(2), at(3)),
        Err(OccurrenceError::NotRecurring)
    );
}

#[test]
fn the_recurrence_of_a_completed_task_is_history() {
    let task = after(created(monthly()).complete(at(1)));
    let patch = TaskPatch {
        recurrence: Patch::Set(recurrence("FREQ=DAILY", MORNING)),
        ..TaskPatch::default()
    };
    let problems = task.update(patch, series(2), at(2)).unwrap_err();
    assert_eq!(found(&problems), [(Field::Recurrence, ProblemCode::TaskCompleted)]);
}

#[test]
fn the_next_instance_takes_over_what_goes_with_the_due_time() {
    let patch = TaskPatch {
        priority: Some(Priority::High),
        ..TaskPatch::default()
    };
    let task = after(created(monthly()).update(patch, series(2), at(1)).unwrap());
    let task = after(task.complete(at(2)));
    let february = datetime(2026, 2, 28, 9, 0, 0, 0);
    let next = membership(1, february, 2);
    let change = task.occurrence(task_id(2), next, at(2), at(3)).unwrap();
    assert_eq!(change.kind, ChangeKind::Created);
    let expected = Task {
        id: task_id(2),
        status: Status::Open,
        due: Some(in_berlin(february)),
        reminders: task.reminders.relative(),
        series: Some(next),
        version: 1,
        created_at: at(3),
        updated_at: at(3),
        completed_at: None,
        ..task
    };
    assert_eq!(change.task, expected);
    assert_eq!(
        (expected.priority, expected.reminders.as_slice().len()),
        (Priority::High, 1)
    );
}

#[test]
fn the_next_instance_is_in_the_kind_of_time_of_the_completed_one() {
    let february = datetime(2026, 2, 28, 9, 0, 0, 0);
    let instant = |local| Due::Instant(Zone::UTC.instant(local));
    for (due, next) in [
        (Due::Floating(MORNING), Due::Floating(february)),
        (instant(MORNING), instant(february)),
    ] {
        let task = created(TaskDraft {
            due: Some(due),
            ..monthly()
        });
        let change = after(task.complete(at(1))).occurrence(task_id(2), membership(1, february, 2), at(1), at(3));
        assert_eq!(change.unwrap().task.due, Some(next));
    }
}

#[test]
fn some_next_instances_are_refused() {
    let open = created(monthly());
    let completed = after(open.complete(at(1)));
    let again = after(after(completed.reopen(at(2))).complete(at(3)));
    let february = datetime(2026, 2, 28, 9, 0, 0, 0);
    for (task, next, error) in [
        (&open, membership(1, february, 2), OccurrenceError::NotCompleted),
        (&again, membership(1, february, 2), OccurrenceError::OtherCompletion),
        (&completed, membership(2, february, 2), OccurrenceError::OtherSeries),
        (&completed, membership(1, MORNING, 2), OccurrenceError::NotLater),
        (
            &after(created(draft()).complete(at(1))),
            membership(1, february, 2),
            OccurrenceError::NotRecurring,
        ),
    ] {
        assert_eq!(task.occurrence(task_id(2), next, at(1), at(4)), Err(error));
    }
}
