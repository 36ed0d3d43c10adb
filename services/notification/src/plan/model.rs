//! Thousands of interleavings around the due moment, against a model that knows nothing of plans: what a person would
//! expect to see.

use std::collections::{BTreeMap, BTreeSet};

use domain::task::reminders::Reminder;
use proptest::prelude::*;

use super::*;

/// What can happen to a task with two reminders, and to those.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// The task is due at another minute.
    Reschedule(i64),
    /// One of its reminders is put off, by so many minutes.
    Snooze(usize, i64),
    Complete,
    Reopen,
    Delete,
    /// So many minutes go by, and somebody looks.
    Wait(i64),
    /// Somebody looks again: a sweeper, or a job.
    Look,
    /// A claimed reminder is delivered; again, where it was before.
    Deliver(usize),
    /// An event of the task comes again, this many versions old.
    Again(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (-3..6_i64).prop_map(Act::Reschedule),
        2 => (0..2_usize, 1..4_i64).prop_map(|(which, minutes)| Act::Snooze(which, minutes)),
        1 => Just(Act::Complete),
        2 => Just(Act::Reopen),
        1 => prop_oneof![9 => Just(Act::Look), 1 => Just(Act::Delete)],
        5 => (0..4_i64).prop_map(Act::Wait),
        1 => Just(Act::Look),
        4 => (0..8_usize).prop_map(Act::Deliver),
        2 => (0..4_usize).prop_map(Act::Again),
    ]
}

/// Minutes before the due time of each reminder.
const LEADS: [i64; 2] = [0, 2];

fn minute(number: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * number).unwrap()
}

fn spec(which: usize) -> Spec {
    let lead = std::time::Duration::from_secs(60 * LEADS[which].unsigned_abs());
    Spec::of(&Reminder::BeforeDue(lead))
}

/// The tables, as far as they matter: the same conditions as in SQL.
#[derive(Debug, Default)]
struct Tables {
    version: usize,
    is_open: bool,
    rows: Vec<(Known<usize>, Timestamp)>,
    /// Claimed rows, by number, in the order of their events.
    events: Vec<usize>,
    seen: Vec<(usize, Timestamp)>,
    ids: usize,
}

impl Tables {
    fn latest(&self) -> Vec<Known<usize>> {
        let mut latest = BTreeMap::new();
        for (row, _) in &self.rows {
            latest.insert(row.spec.clone(), row.clone());
        }
        latest.into_values().collect()
    }

    fn apply(&mut self, version: usize, wish: &Wish) {
        if version <= self.version {
            return;
        }
        self.version = version;
        self.is_open = wish.ending == Ending::Removed;
        for step in plan(wish, &self.latest()) {
            match step {
                Step::Supersede { id, generation, .. } => self.supersede(id, generation),
                Step::Begin {
                    id,
                    generation,
                    spec,
                    at,
                    is_past,
                } => {
                    self.ids += 1;
                    let state = if is_past { State::Expired } else { State::Planned };
                    let id = id.unwrap_or(self.ids);
                    self.begin(id, generation, spec, at, at, state);
                }
            }
        }
    }

    fn begin(&mut self, id: usize, generation: i32, spec: Spec, asked_at: Timestamp, at: Timestamp, state: State) {
        let row = Known {
            id,
            generation,
            spec,
            asked_at,
            state,
        };
        self.rows.push((row, at));
    }

    fn supersede(&mut self, id: usize, generation: i32) {
        for (row, _) in &mut self.rows {
            if row.id == id && row.generation == generation && row.state.is_open() {
                row.state = State::Superseded;
            }
        }
    }

    fn snooze(&mut self, which: usize, until: Timestamp) -> bool {
        let Some(it) = self.latest().into_iter().find(|it| it.spec == spec(which)) else {
            return false;
        };
        if !self.is_open || it.state == State::Superseded {
            return false;
        }
        self.supersede(it.id, it.generation);
        self.begin(it.id, it.generation + 1, it.spec, it.asked_at, until, State::Planned);
        true
    }

    fn look(&mut self, now: Timestamp) {
        for (number, (row, at)) in self.rows.iter_mut().enumerate() {
            if row.state == State::Planned && *at <= now {
                row.state = State::Due;
                self.events.push(number);
            }
        }
    }

    fn deliver(&mut self, event: usize) -> Option<(Spec, Timestamp)> {
        let number = *self.events.get(event % self.events.len().max(1))?;
        let (row, at) = &mut self.rows[number];
        if row.state != State::Due {
            return None;
        }
        row.state = State::Delivered;
        self.seen.push((number, *at));
        Some((row.spec.clone(), *at))
    }
}

/// What a person expects: for each reminder the moment for which it is set now, and whether it is armed.
#[derive(Debug, Default)]
struct Person {
    due: i64,
    is_done: bool,
    is_gone: bool,
    /// Moment of the task, moment to be seen, and whether it is still to be seen.
    set: [Option<(Timestamp, Timestamp, bool)>; 2],
}

impl Person {
    /// The task says anew when it asks for attention.
    fn choose(&mut self, now: Timestamp) {
        for (which, lead) in LEADS.into_iter().enumerate() {
            let at = minute(self.due - lead);
            match &mut self.set[which] {
                Some((asked, _, armed)) if self.is_done || self.is_gone => {
                    // Forgotten while it was to be seen: chosen anew when the task is open again.
                    if *armed {
                        *asked = Timestamp::MIN;
                    }
                    *armed = false;
                }
                Some((asked, _, _)) if *asked == at => {}
                set if !self.is_done && !self.is_gone => {
                    *set = Some((at, at, now.duration_since(at) <= GRACE));
                }
                _ => {}
            }
        }
    }
}

#[derive(Debug)]
struct World {
    tables: Tables,
    person: Person,
    now: i64,
    changes: Vec<Wish>,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            tables: Tables::default(),
            person: Person {
                due: 4,
                ..Person::default()
            },
            now: 0,
            changes: Vec::new(),
        };
        world.change();
        world
    }

    fn change(&mut self) {
        let person = &self.person;
        let wanted = LEADS.iter().enumerate();
        let wanted = wanted.map(|(which, lead)| (spec(which), minute(person.due - lead)));
        let closed = person.is_done || person.is_gone;
        let wish = Wish {
            reminders: if closed { Vec::new() } else { wanted.collect() },
            ending: match (person.is_gone, person.is_done) {
                (true, _) => Ending::Deleted,
                (_, true) => Ending::Completed,
                _ => Ending::Removed,
            },
            changed_at: minute(self.now),
        };
        self.changes.push(wish.clone());
        self.tables.apply(self.changes.len(), &wish);
        self.person.choose(minute(self.now));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Reschedule(minutes) if !self.person.is_gone => {
                self.person.due = self.now + minutes;
                self.change();
            }
            Act::Complete if !self.person.is_gone && !self.person.is_done => {
                self.person.is_done = true;
                self.change();
            }
            Act::Reopen if !self.person.is_gone && self.person.is_done => {
                self.person.is_done = false;
                self.change();
            }
            Act::Delete if !self.person.is_gone => {
                self.person.is_gone = true;
                self.change();
            }
            Act::Snooze(which, minutes) => {
                let until = minute(self.now + minutes);
                if self.tables.snooze(which, until) {
                    let (asked, ..) = self.person.set[which].unwrap();
                    self.person.set[which] = Some((asked, until, true));
                }
            }
            Act::Wait(minutes) => {
                self.now += minutes;
                self.tables.look(minute(self.now));
            }
            Act::Look => self.tables.look(minute(self.now)),
            Act::Deliver(event) => {
                if let Some((seen, at)) = self.tables.deliver(event) {
                    let which = (0..2).find(|which| spec(*which) == seen).unwrap();
                    let (asked, moment, armed) = self.person.set[which].unwrap();
                    // It is what the person waits for, it is time, and it was not seen before.
                    assert!(
                        armed && moment == at && at <= minute(self.now),
                        "{seen} at {at}: {self:#?}"
                    );
                    self.person.set[which] = Some((asked, moment, false));
                }
            }
            Act::Again(old) => {
                let version = self.changes.len().saturating_sub(old).max(1);
                let wish = self.changes[version - 1].clone();
                self.tables.apply(version, &wish);
            }
            Act::Reschedule(_) | Act::Complete | Act::Reopen | Act::Delete => {}
        }
        self.check();
    }

    fn check(&self) {
        let mut open = BTreeSet::new();
        for (row, _) in &self.tables.rows {
            if row.state.is_open() {
                assert!(open.insert(row.id), "two open generations: {self:#?}");
            }
        }
        let armed = self.person.set.iter().flatten().filter(|(.., armed)| *armed).count();
        assert_eq!(open.len(), armed, "{self:#?}");
    }

    /// Time goes by until nothing is left: then everything that the person waited for was seen, and every row has ended.
    fn end(&mut self) {
        self.act(Act::Wait(1_000));
        for event in 0..self.tables.events.len() {
            self.act(Act::Deliver(event));
        }
        assert!(self.person.set.iter().flatten().all(|(.., armed)| !armed), "{self:#?}");
        assert!(
            self.tables.rows.iter().all(|(row, _)| !row.state.is_open()),
            "{self:#?}"
        );
        let mut seen: Vec<usize> = self.tables.seen.iter().map(|(number, _)| *number).collect();
        seen.sort_unstable();
        let count = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), count, "one was seen twice: {self:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_person_sees_what_they_wait_for_once_and_nothing_else(acts in prop::collection::vec(act(), 1..40)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
        }
        world.end();
    }
}
