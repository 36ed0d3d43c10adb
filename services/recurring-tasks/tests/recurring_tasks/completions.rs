//! Completed tasks, as chat-api tells of them.

use domain::{
    id::{SeriesId, TaskId, UserId},
    recurrence::{Basis, CatchUp, MonthEnd, Recurrence, Terms, rule::Rule},
    task::{
        Task,
        draft::TaskDraft,
        text::Title,
        transition::{Change, ChangeKind},
    },
    time::{Due, Zone},
};
use events::{Context, Counter, Event, EventId};
use jiff::Timestamp;
use uuid::Uuid;

/// What every event of these tests belongs to.
pub(crate) const CORRELATION_ID: &str = "a-person-ticked-a-box";
pub(crate) const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A task that recurs, and when it is completed.
#[derive(Clone, Debug)]
pub(crate) struct Recurring {
    pub(crate) task: i64,
    pub(crate) due: Due,
    pub(crate) rule: &'static str,
    pub(crate) basis: Basis,
    pub(crate) catch_up: CatchUp,
    pub(crate) home: Zone,
    pub(crate) completed_at: &'static str,
}

impl Recurring {
    /// Each Monday at 9:00 in Berlin; completed on such a Monday at noon.
    pub(crate) fn weekly(task: i64) -> Self {
        Self {
            task,
            due: zoned("2026-11-30T09:00:00", "Europe/Berlin"),
            rule: "FREQ=WEEKLY;BYDAY=MO",
            basis: Basis::FixedSchedule,
            catch_up: CatchUp::One,
            home: Zone::UTC,
            completed_at: "2026-11-30T11:00:00Z",
        }
    }

    /// The event that tells of the completion.
    pub(crate) fn completed(&self) -> Event {
        let now: Timestamp = self.completed_at.parse().unwrap();
        let completed = self.task().complete(now).expect("it is open");
        event(&completed, &self.home)
    }

    /// The task before that.
    pub(crate) fn task(&self) -> Task {
        let recurrence = Recurrence::new(Terms {
            rule: Rule::parse(self.rule, &Zone::UTC).unwrap(),
            anchor: self.due.local(),
            month_end: MonthEnd::Clamp,
            basis: self.basis,
            catch_up: self.catch_up,
            exceptions: [].into(),
        });
        let draft = TaskDraft {
            due: Some(self.due.clone()),
            recurrence: Some(recurrence.unwrap()),
            ..draft()
        };
        create(self.task, draft)
    }
}

/// A completed task that does not recur.
pub(crate) fn completed_once(task: i64) -> Event {
    let completed = create(task, draft()).complete(Timestamp::now()).expect("it is open");
    event(&completed, &Zone::UTC)
}

/// What else happens to a recurring task.
pub(crate) fn never_completed(task: i64) -> Vec<Event> {
    let task = Recurring::weekly(task).task();
    let created = Change {
        kind: ChangeKind::Created,
        task: task.clone(),
    };
    let updated = Change {
        kind: ChangeKind::Updated,
        task: task.clone(),
    };
    let changes = [created, updated, task.delete(Timestamp::now())];
    changes.iter().map(|change| event(change, &Zone::UTC)).collect()
}

pub(crate) fn zoned(local: &str, zone: &str) -> Due {
    Due::Zoned {
        local: local.parse().unwrap(),
        zone: Zone::new(zone).unwrap(),
    }
}

fn draft() -> TaskDraft {
    TaskDraft::new(Title::new("Water the plants").unwrap())
}

fn create(task: i64, draft: TaskDraft) -> Task {
    let (id, user) = (TaskId::new(task).unwrap(), UserId::new("user-1").unwrap());
    let series = SeriesId::new(Uuid::now_v7()).unwrap();
    let created = "2020-01-01T00:00:00Z".parse().unwrap();
    Task::create(id, user, draft, series, created).unwrap().task
}

fn event(change: &Change, home: &Zone) -> Event {
    let context = Context {
        id: EventId::generate(),
        correlation_id: CORRELATION_ID.parse().unwrap(),
        traceparent: Some(TRACEPARENT.parse().unwrap()),
    };
    Event::task_changed(change, home, Counter::new(1).unwrap(), context).unwrap()
}
