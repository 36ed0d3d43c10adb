use domain::{
    id::{TaskId, UserId},
    task::{
        Task,
        choices::{Priority, Status},
        reminders::{Reminder, Reminders},
        tags::Tags,
        text::{Description, Title},
        transition::ChangeKind,
    },
    time::{Due, Zone},
};
use std::time::Duration;

use super::*;

const HOUR: Duration = Duration::from_hours(1);

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn task(due: Option<Due>, reminders: &[Reminder]) -> Task {
    Task {
        id: TaskId::new(7).unwrap(),
        user: UserId::new("ada").unwrap(),
        title: Title::new("Call").unwrap(),
        description: Description::new("").unwrap(),
        status: Status::Open,
        priority: Priority::None,
        tags: Tags::default(),
        due,
        reminders: Reminders::new(reminders.iter().copied()).unwrap(),
        series: None,
        recurrence: None,
        version: 1,
        created_at: instant("2026-11-24T12:00:00Z"),
        updated_at: instant("2026-11-24T12:00:00Z"),
        completed_at: None,
    }
}

fn wish(due: &str) -> Wish {
    let task = task(Some(Due::Instant(instant(due))), &[Reminder::BeforeDue(HOUR)]);
    Wish::of(ChangeKind::Updated, &task, &Zone::UTC)
}

fn known(state: State) -> Known<u8> {
    Known {
        id: 1,
        generation: 3,
        spec: Spec::of(&Reminder::BeforeDue(HOUR)),
        asked_at: instant("2026-11-25T08:00:00Z"),
        state,
    }
}

fn begins(generation: i32, id: Option<u8>, at: &str, is_past: bool) -> Step<u8> {
    Step::Begin {
        id,
        generation,
        spec: Spec::of(&Reminder::BeforeDue(HOUR)),
        at: instant(at),
        is_past,
    }
}

fn supersedes(ending: Ending) -> Step<u8> {
    Step::Supersede {
        id: 1,
        generation: 3,
        ending,
    }
}

#[test]
fn what_is_wanted_and_there_stays() {
    for state in State::ALL {
        let steps = plan(&wish("2026-11-25T09:00:00Z"), &[known(state)]);
        let expected = if state == State::Superseded {
            vec![begins(4, Some(1), "2026-11-25T08:00:00Z", false)]
        } else {
            Vec::new()
        };
        assert_eq!(steps, expected, "{state:?}");
    }
}

#[test]
fn a_new_reminder_begins() {
    let steps = plan::<u8>(&wish("2026-11-25T09:00:00Z"), &[]);
    assert_eq!(steps, [begins(1, None, "2026-11-25T08:00:00Z", false)]);
}

#[test]
fn another_due_time_ends_what_is_open_and_begins_the_next_generation() {
    for state in State::ALL {
        let next = begins(4, Some(1), "2026-11-26T08:00:00Z", false);
        let steps = plan(&wish("2026-11-26T09:00:00Z"), &[known(state)]);
        let expected = if state.is_open() {
            vec![supersedes(Ending::Rescheduled), next]
        } else {
            vec![next]
        };
        assert_eq!(steps, expected, "{state:?}");
    }
}

#[test]
fn a_task_that_is_done_or_gone_wants_nothing() {
    let open = task(
        Some(Due::Instant(instant("2026-11-25T09:00:00Z"))),
        &[Reminder::BeforeDue(HOUR)],
    );
    let done = Task {
        status: Status::Completed,
        ..open.clone()
    };
    for (kind, task, ending) in [
        (ChangeKind::Completed, &done, Ending::Completed),
        (ChangeKind::Updated, &done, Ending::Completed),
        (ChangeKind::Deleted, &open, Ending::Deleted),
        (ChangeKind::Deleted, &done, Ending::Deleted),
    ] {
        let wish = Wish::of(kind, task, &Zone::UTC);
        assert_eq!(plan(&wish, &[known(State::Due)]), [supersedes(ending)], "{kind:?}");
        assert_eq!(plan(&wish, &[known(State::Delivered)]), [], "{kind:?}");
    }
}

#[test]
fn a_reminder_that_was_taken_away_ends() {
    let bare = task(Some(Due::Instant(instant("2026-11-25T09:00:00Z"))), &[]);
    let wish = Wish::of(ChangeKind::Updated, &bare, &Zone::UTC);
    assert_eq!(plan(&wish, &[known(State::Planned)]), [supersedes(Ending::Removed)]);
}

#[test]
fn what_was_past_when_it_was_chosen_expires_and_a_minute_of_grace_does_not() {
    for (due, is_past) in [
        ("2026-11-24T12:58:59Z", true),
        ("2026-11-24T12:59:00Z", false),
        ("2026-11-24T13:00:00Z", false),
    ] {
        let Step::Begin { is_past: told, .. } = &plan::<u8>(&wish(due), &[])[0] else {
            panic!("nothing else can happen");
        };
        assert_eq!(*told, is_past, "{due}");
    }
}

#[test]
fn floating_times_are_meant_where_the_person_lives() {
    let local = "2026-11-25T09:00:00".parse().unwrap();
    let task = task(Some(Due::Floating(local)), &[Reminder::BeforeDue(HOUR)]);
    let at = |zone| Wish::of(ChangeKind::Updated, &task, &Zone::new(zone).unwrap()).reminders[0].1;
    assert_eq!(at("Asia/Tokyo"), instant("2026-11-24T23:00:00Z"));
    assert_eq!(at("America/New_York"), instant("2026-11-25T13:00:00Z"));
}

/// Where the clocks jump over the due time it is meant an hour later, where they show it twice the first time. A lead is a
/// length of time and not of clocks: an hour before is an hour before.
#[test]
fn a_reminder_before_a_time_that_the_clocks_skip_or_repeat_comes_a_true_hour_before() {
    for (local, at) in [
        ("2026-03-29T02:30:00", "2026-03-29T00:30:00Z"), // skipped: 03:30 in summer time
        ("2026-03-29T03:30:00", "2026-03-29T00:30:00Z"),
        ("2026-10-25T02:30:00", "2026-10-24T23:30:00Z"), // repeated: the first, in summer time
        ("2026-10-25T03:30:00", "2026-10-25T01:30:00Z"),
    ] {
        let due = Due::Zoned {
            local: local.parse().unwrap(),
            zone: Zone::new("Europe/Berlin").unwrap(),
        };
        let task = task(Some(due), &[Reminder::BeforeDue(HOUR)]);
        let wish = Wish::of(ChangeKind::Updated, &task, &Zone::UTC);
        assert_eq!(wish.reminders[0].1, instant(at), "{local}");
    }
}
