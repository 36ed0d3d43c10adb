use proptest::prelude::*;
use service_kit::database::time::Instant;
use uuid::Uuid;

use super::*;
use crate::day::Day;

const USER: &str = "ada";

/// What the database holds of some tasks.
#[derive(Clone, Debug)]
struct Record {
    heads: Vec<Head>,
    anchors: Vec<Anchor>,
    rows: Vec<Row>,
}

impl Record {
    /// Chains of these lengths.
    fn of(lengths: &[i64]) -> Self {
        let mut record = Self {
            heads: Vec::new(),
            anchors: Vec::new(),
            rows: Vec::new(),
        };
        for (task_id, length) in (1..).zip(lengths) {
            let mut hash = Hash::START;
            for position in 1..=*length {
                let row = row(task_id, position, hash);
                hash = row.hash;
                record.rows.push(row);
            }
            record.heads.push(Head {
                task_id,
                user_id: USER.to_owned(),
                position: *length,
                hash,
            });
        }
        record
    }

    /// Rows that go with their day leave an anchor; neighbours become one.
    fn drop_rows(&mut self, task_id: i64, first: i64, last: i64) {
        let gone = |row: &Row| row.task_id == task_id && (first..=last).contains(&row.position);
        let rows: Vec<Row> = self.rows.extract_if(.., |row| gone(row)).collect();
        self.anchors.push(Anchor {
            task_id,
            first_position: first,
            last_position: last,
            previous_hash: rows[0].previous_hash,
            last_hash: rows[rows.len() - 1].hash,
        });
        self.anchors.sort_by_key(|it| (it.task_id, it.first_position));
    }

    fn find(&mut self, task_id: i64, position: i64) -> &mut Row {
        let mut rows = self.rows.iter_mut();
        rows.find(|it| it.task_id == task_id && it.position == position)
            .unwrap()
    }

    fn flaws(mut self) -> Vec<String> {
        self.rows.sort_by_key(|row| (row.task_id, row.position));
        let mut flaws = Vec::new();
        let mut found = |flaw: Flaw| flaws.push(flaw.to_string());
        let mut checker = Checker::new(self.heads, self.anchors);
        for row in &self.rows {
            checker.row(row, &mut found);
        }
        checker.finish(&mut found);
        flaws
    }
}

fn row(task_id: i64, position: i64, previous_hash: Hash) -> Row {
    let row = Row {
        task_id,
        position,
        event_day: Day("2026-11-24".parse().unwrap()),
        source: "/services/chat-api".to_owned(),
        event_id: Uuid::now_v7(),
        event_type: "dev.taskflow.task.updated.v1".to_owned(),
        recorded_at: Instant("2026-11-24T08:00:00Z".parse().unwrap()),
        event: format!("{task_id}/{position}").into_bytes(),
        previous_hash,
        hash: Hash::START,
    };
    row.sealed(USER)
}

#[test]
fn what_was_appended_has_no_flaw() {
    assert!(Record::of(&[]).flaws().is_empty());
    assert!(Record::of(&[3, 0, 1]).flaws().is_empty());
}

#[test]
fn an_altered_row_is_found() {
    let mut record = Record::of(&[3, 3]);
    record.find(2, 2).event = b"forged".to_vec();
    assert_eq!(record.flaws(), ["task 2, position 2: the row was altered"]);
}

#[test]
fn an_altered_row_with_a_new_hash_is_found_by_the_next() {
    let mut record = Record::of(&[3]);
    let row = record.find(1, 2);
    row.event = b"forged".to_vec();
    *row = row.clone().sealed(USER);
    assert_eq!(
        record.flaws(),
        ["task 1, position 3: the row before is another one than was there"]
    );
}

#[test]
fn an_altered_last_row_with_a_new_hash_is_found_by_the_head() {
    let mut record = Record::of(&[3]);
    let row = record.find(1, 3);
    row.event = b"forged".to_vec();
    *row = row.clone().sealed(USER);
    assert_eq!(
        record.flaws(),
        ["task 1, position 3: the last row is another one than was there"]
    );
}

#[test]
fn rows_that_were_removed_are_found() {
    let mut record = Record::of(&[5, 2]);
    record.rows.retain(|row| ![2, 3].contains(&row.position));
    assert_eq!(
        record.flaws(),
        [
            "task 1, position 2: the rows up to position 3 are missing",
            "task 2, position 2: the row is missing"
        ]
    );
    let mut all = Record::of(&[2]);
    all.rows.clear();
    assert_eq!(
        all.flaws(),
        ["task 1, position 1: the rows up to position 2 are missing"]
    );
}

#[test]
fn rows_that_were_swapped_are_found() {
    let mut record = Record::of(&[4]);
    (record.find(1, 2).position, record.find(1, 3).position) = (0, 2);
    record.find(1, 0).position = 3;
    let flaws = record.flaws();
    assert_eq!(
        flaws,
        [
            "task 1, position 2: the row was altered",
            "task 1, position 3: the row was altered",
            "task 1, position 4: the row before is another one than was there"
        ]
    );
}

#[test]
fn rows_that_were_added_are_found() {
    let mut behind = Record::of(&[1]);
    let last = behind.rows[0].hash;
    behind.rows.push(row(1, 2, last));
    assert_eq!(
        behind.flaws(),
        ["task 1, position 2: a row behind the end of the chain"]
    );

    let mut twice = Record::of(&[2]);
    let copy = twice.find(1, 1).clone();
    twice.rows.insert(1, copy);
    assert_eq!(twice.flaws(), ["task 1, position 1: a row that does not belong here"]);

    let mut headless = Record::of(&[1, 2]);
    headless.heads.remove(1);
    assert_eq!(
        headless.flaws(),
        ["task 2, position 1: rows of a chain that nobody began"]
    );
}

#[test]
fn a_task_given_to_somebody_else_is_found() {
    let mut record = Record::of(&[1]);
    record.heads[0].user_id = "bob".to_owned();
    assert_eq!(record.flaws(), ["task 1, position 1: the row was altered"]);
}

#[test]
fn what_stands_at_the_edges_of_dropped_days_is_still_linked() {
    let mut record = Record::of(&[6]);
    record.drop_rows(1, 3, 4);
    assert!(record.clone().flaws().is_empty());

    let mut before = record.clone();
    let row = before.find(1, 2);
    row.event = b"forged".to_vec();
    *row = row.clone().sealed(USER);
    assert_eq!(
        before.flaws(),
        ["task 1, position 3: the row before is another one than was there"]
    );

    let mut after = record.clone();
    let row = after.find(1, 5);
    row.previous_hash = Hash([1; 32]);
    *row = row.clone().sealed(USER);
    assert_eq!(after.flaws().len(), 2, "it follows another row, and the next does");

    let mut beside = record;
    beside.rows.retain(|row| row.position != 5);
    assert_eq!(beside.flaws(), ["task 1, position 5: the row is missing"]);
}

proptest! {
    /// Days are dropped in any order, and events of one task need not come in the order of their days.
    #[test]
    fn dropped_days_leave_no_flaw(length in 1..12_i64, days in prop::collection::vec(0..4, 12), gone in 0..4) {
        let mut record = Record::of(&[length, 2]);
        for position in 1..=length {
            let index = usize::try_from(position).unwrap() - 1;
            if days[index] <= gone {
                record.drop_rows(1, position, position);
            }
        }
        prop_assert_eq!(record.flaws(), Vec::<String>::new());
    }

    #[test]
    fn any_one_row_that_is_lost_or_altered_is_found(lengths in prop::collection::vec(1..6_i64, 1..4), pick in any::<prop::sample::Index>(), lost: bool) {
        let mut record = Record::of(&lengths);
        let index = pick.index(record.rows.len());
        if lost {
            record.rows.remove(index);
        } else {
            record.rows[index].event.push(b'x');
        }
        prop_assert_eq!(record.flaws().len(), 1);
    }
}
