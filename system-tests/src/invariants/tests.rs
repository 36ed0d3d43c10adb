use super::*;
use crate::{facts::Task, ledger::Known};

fn told(task: i64, version: i64, user_sequence: i64, kind: &str) -> Told {
    Told {
        id: Uuid::from_u128(u128::try_from(user_sequence).unwrap()),
        task,
        version,
        user: "ada".to_owned(),
        user_sequence,
        kind: kind.to_owned(),
        recurring: true,
    }
}

fn task(version: i64, completed: bool, instance: &str) -> Task {
    Task {
        user: "ada".to_owned(),
        version,
        title: "t".to_owned(),
        completed,
        recurring: true,
        instance: Some(instance.to_owned()),
        ..Task::default()
    }
}

/// Task 1 was completed, task 2 follows it.
fn sound() -> (Facts, Ledger) {
    let trail = vec![
        told(1, 1, 1, "created"),
        told(1, 2, 2, "completed"),
        told(2, 1, 3, "created"),
    ];
    let facts = Facts {
        tasks: BTreeMap::from([(1, task(2, true, "s 1")), (2, task(1, false, "s 2"))]),
        successors: vec![(1, 2)],
        user_sequences: BTreeMap::from([("ada".to_owned(), 3)]),
        topic: trail.iter().map(|told| (0, told.clone())).collect(),
        applied: BTreeSet::from([trail[1].id]),
        trail,
        dead_letters: 0,
        verification: (Some(0), vec!["3 rows in 2 chains".to_owned()]),
    };
    let known = Known {
        user: "ada".to_owned(),
        version: 2,
        title: "t".to_owned(),
        completed: true,
        recurring: true,
        deleted: false,
    };
    let ledger = Ledger {
        tasks: BTreeMap::from([(1, known)]),
        ..Ledger::default()
    };
    (facts, ledger)
}

/// What is found when this goes wrong.
fn found(wrong: impl FnOnce(&mut Facts, &mut Ledger)) -> Vec<String> {
    let (mut facts, mut ledger) = sound();
    wrong(&mut facts, &mut ledger);
    broken(&facts, &ledger)
}

#[test]
fn nothing_is_found_where_all_holds() {
    assert_eq!(found(|_, _| {}), Vec::<String>::new());
}

#[test]
fn publishing_again_is_no_fault() {
    let again = |facts: &mut Facts, _: &mut Ledger| facts.topic.extend(facts.topic.clone());
    assert_eq!(found(again), Vec::<String>::new());
}

#[test]
fn each_fault_is_found() {
    type Fault = fn(&mut Facts, &mut Ledger);
    let faults: [(&str, Fault); 15] = [
        ("is lost", |facts, _| drop(facts.tasks.remove(&1))),
        ("acknowledged was", |_, ledger| {
            ledger.tasks.get_mut(&1).unwrap().version = 3;
        }),
        ("nobody knows of task 1", |_, ledger| ledger.tasks.clear()),
        ("a contradiction", |_, ledger| {
            ledger.contradictions.push("a contradiction".into());
        }),
        ("the shared task 7 is lost", |_, ledger| {
            ledger.additions.insert(7, BTreeSet::new());
        }),
        ("the record has the versions [2]", |facts, _| {
            drop(facts.trail.remove(0));
        }),
        ("the record has an event twice", |facts, _| {
            facts.trail.push(facts.trail[2].clone());
        }),
        ("only on record or only in the topic", |facts, _| {
            drop(facts.topic.pop());
        }),
        ("follows version 0", |facts, _| facts.topic.swap(0, 1)),
        ("follows version 1 of partition 0", |facts, _| facts.topic[1].0 = 1),
        ("came again as", |facts, _| {
            facts.topic.push((0, told(1, 1, 1, "updated")));
        }),
        ("counted were Some(4)", |facts, _| {
            facts.user_sequences.insert("ada".into(), 4);
        }),
        ("has the successors []", |facts, _| facts.successors.clear()),
        ("instance s 2 is there as [2, 3]", |facts, _| {
            facts.tasks.insert(3, task(1, false, "s 2"));
        }),
        ("audit verifies with Some(1)", |facts, _| {
            facts.verification.0 = Some(1);
        }),
    ];
    for (sentence, fault) in faults {
        let found = found(fault);
        assert!(found.iter().any(|it| it.contains(sentence)), "{sentence}: {found:#?}");
    }
}

#[test]
fn a_successor_that_reopening_left_behind_is_found() {
    let reopened = |facts: &mut Facts, _: &mut Ledger| facts.tasks.get_mut(&1).unwrap().completed = false;
    assert!(found(reopened).iter().any(|it| it.contains("has the successors [2]")));
}

#[test]
fn an_update_that_was_lost_is_found() {
    let lost = |facts: &mut Facts, ledger: &mut Ledger| {
        ledger
            .additions
            .insert(2, BTreeSet::from(["0x1".to_owned(), "1x1".to_owned()]));
        facts.tasks.get_mut(&2).unwrap().description = "1x1 ".to_owned();
    };
    assert!(found(lost).iter().any(|it| it.contains("lost [\"0x1\"]")));
}
