//! What happens to tasks: single cases first, then any sequence of wishes.

mod cases;
mod sequences;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{DateTime, datetime};
use uuid::Uuid;

use super::draft::TaskDraft;
use super::reminders::{Reminder, Reminders};
use super::text::Title;
use super::transition::Change;
use super::{SeriesMembership, Task};
use crate::id::{SeriesId, TaskId, UserId};
use crate::recurrence::next::Occurrence;
use crate::recurrence::rule::Rule;
use crate::recurrence::{Basis, CatchUp, MonthEnd, OccurrenceKey, Recurrence, Terms};
use crate::time::{Due, Zone};

const MORNING: DateTime = datetime(2026, 1, 31, 9, 0, 0, 0);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + second).unwrap()
}

fn task_id(number: i64) -> TaskId {
    TaskId::new(number).unwrap()
}

fn series(number: u128) -> SeriesId {
    SeriesId::new(Uuid::from_u128(number)).unwrap()
}

fn membership(number: u128, key: DateTime, ordinal: u32) -> SeriesMembership {
    let key = OccurrenceKey::new(key);
    SeriesMembership {
        series: series(number),
        occurrence: Occurrence { key, ordinal },
    }
}

fn berlin() -> Zone {
    Zone::new("Europe/Berlin").unwrap()
}

fn in_berlin(local: DateTime) -> Due {
    let zone = berlin();
    Due::Zoned { local, zone }
}

fn recurrence(rule: &str, anchor: DateTime) -> Recurrence {
    let terms = Terms {
        rule: Rule::parse(rule, &Zone::UTC).unwrap(),
        anchor,
        month_end: MonthEnd::Clamp,
        basis: Basis::FixedSchedule,
        catch_up: CatchUp::One,
        exceptions: BTreeSet::new(),
    };
    Recurrence::new(terms).unwrap()
}

fn draft() -> TaskDraft {
    TaskDraft::new(Title::new("pay the rent").unwrap())
}

fn monthly() -> TaskDraft {
    let reminders = [
        Reminder::At(at(0)),
        Reminder::BeforeDue(std::time::Duration::from_mins(30)),
    ];
    TaskDraft {
        due: Some(in_berlin(MORNING)),
        reminders: Reminders::new(reminders).unwrap(),
        recurrence: Some(recurrence("FREQ=MONTHLY", MORNING)),
        ..draft()
    }
}

/// The task of a draft, created at second 0 with the series 1.
fn created(draft: TaskDraft) -> Task {
    let user = UserId::new("anna").unwrap();
    Task::create(task_id(1), user, draft, series(1), at(0)).unwrap().task
}

fn after(change: Option<Change>) -> Task {
    change.expect("something changes").task
}
