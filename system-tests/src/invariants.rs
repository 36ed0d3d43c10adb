//! What always holds once the core has come to rest, whoever died on the way. Pure.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    facts::{Facts, Told},
    ledger::Ledger,
};

/// Everything that does not hold, as sentences.
pub fn broken(facts: &Facts, ledger: &Ledger) -> Vec<String> {
    [
        ledger.contradictions.clone(),
        lost_writes(facts, ledger),
        lost_additions(facts, ledger),
        changes_without_one_event(facts),
        disorder(facts),
        gaps_of_people(facts),
        wrong_successors(facts),
        doubled_instances(facts),
        unapplied(facts),
        unverified(facts),
    ]
    .concat()
}

/// Every acknowledged write is in its table, and nothing else is.
fn lost_writes(facts: &Facts, ledger: &Ledger) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, known) in &ledger.tasks {
        let Some(task) = facts.tasks.get(id) else {
            if !known.deleted {
                broken.push(format!("task {id} is lost: {known:?}"));
            }
            continue;
        };
        let same = (task.version, &task.title, task.completed) == (known.version, &known.title, known.completed);
        if known.deleted || !same || task.user != known.user {
            broken.push(format!("task {id} is {task:?}, acknowledged was {known:?}"));
        }
    }
    let successors: BTreeSet<i64> = facts.successors.iter().map(|(_, successor)| *successor).collect();
    for (id, task) in &facts.tasks {
        let known = ledger.tasks.contains_key(id) || ledger.additions.contains_key(id);
        if !known && !successors.contains(id) {
            broken.push(format!("nobody knows of task {id}: {task:?}"));
        }
    }
    broken
}

/// Whatever a device has added to a shared task is there once, and whatever is there was added: no update is lost.
fn lost_additions(facts: &Facts, ledger: &Ledger) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, added) in &ledger.additions {
        let Some(task) = facts.tasks.get(id) else {
            broken.push(format!("the shared task {id} is lost"));
            continue;
        };
        let there: Vec<&str> = task.description.split_whitespace().collect();
        let distinct: BTreeSet<&str> = there.iter().copied().collect();
        let added: BTreeSet<&str> = added.iter().map(String::as_str).collect();
        if distinct != added || distinct.len() != there.len() {
            let lost: Vec<_> = added.difference(&distinct).collect();
            let unknown: Vec<_> = distinct.difference(&added).collect();
            broken.push(format!(
                "shared task {id}: lost {lost:?}, unknown {unknown:?}, {}",
                there.len()
            ));
        }
        let changes = i64::try_from(there.len()).unwrap_or(i64::MAX);
        if task.version != changes + 1 {
            broken.push(format!(
                "shared task {id}: version {} after {changes} additions",
                task.version
            ));
        }
    }
    broken
}

/// Each committed change has exactly one event and one row of the record, in the order of the changes.
fn changes_without_one_event(facts: &Facts) -> Vec<String> {
    let mut broken = Vec::new();
    let mut trails: BTreeMap<i64, Vec<&Told>> = BTreeMap::new();
    for told in &facts.trail {
        trails.entry(told.task).or_default().push(told);
    }
    for (task, trail) in &trails {
        let versions: Vec<i64> = trail.iter().map(|told| told.version).collect();
        if !versions.iter().copied().eq(1..=count(versions.len())) {
            broken.push(format!("task {task}: the record has the versions {versions:?}"));
        }
        let last = trail.last().expect("a group is not empty");
        let row = facts.tasks.get(task).map(|row| row.version);
        let expected = (last.kind != "deleted").then_some(last.version);
        if row != expected {
            broken.push(format!(
                "task {task}: version {row:?} in its table, {last:?} is the last event"
            ));
        }
    }
    let untold = facts.tasks.keys().filter(|task| !trails.contains_key(task));
    broken.extend(untold.map(|task| format!("task {task} has no event on record")));
    let recorded: BTreeSet<Uuid> = facts.trail.iter().map(|told| told.id).collect();
    if recorded.len() != facts.trail.len() {
        broken.push("the record has an event twice".to_owned());
    }
    let published: BTreeSet<Uuid> = facts.topic.iter().map(|(_, told)| told.id).collect();
    let different: Vec<_> = recorded.symmetric_difference(&published).collect();
    if !different.is_empty() {
        broken.push(format!("only on record or only in the topic: {different:?}"));
    }
    broken
}

/// In the topic the events of a task stand in one partition, in the order of its changes; an event that is published
/// again says the same again.
fn disorder(facts: &Facts) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen: BTreeMap<Uuid, &Told> = BTreeMap::new();
    let mut last: BTreeMap<i64, (i32, i64)> = BTreeMap::new();
    for (partition, told) in &facts.topic {
        if let Some(first) = seen.insert(told.id, told) {
            if first != told {
                broken.push(format!("{first:?} came again as {told:?}"));
            }
            continue;
        }
        let (home, before) = last.get(&told.task).copied().unwrap_or((*partition, 0));
        if home != *partition || told.version != before + 1 {
            broken.push(format!(
                "partition {partition}: {told:?} follows version {before} of partition {home}"
            ));
        }
        last.insert(told.task, (*partition, told.version));
    }
    broken
}

/// The changes of a person are counted without gaps or doubles, over all tasks.
fn gaps_of_people(facts: &Facts) -> Vec<String> {
    let mut counted: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for told in &facts.trail {
        counted.entry(&told.user).or_default().push(told.user_sequence);
    }
    let mut broken = Vec::new();
    for (user, numbers) in &mut counted {
        numbers.sort_unstable();
        let last = facts.user_sequences.get(*user).copied();
        if !numbers.iter().copied().eq(1..=count(numbers.len())) || last != Some(count(numbers.len())) {
            broken.push(format!("the changes of {user} are {numbers:?}, counted were {last:?}"));
        }
    }
    broken
}

/// A completed recurring instance has one successor; one that is open again has none that nobody has touched.
fn wrong_successors(facts: &Facts) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, task) in facts.tasks.iter().filter(|(_, task)| task.recurring) {
        let of_this = facts.successors.iter().filter(|(predecessor, _)| predecessor == id);
        let successors: Vec<i64> = of_this.map(|(_, successor)| *successor).collect();
        let untouched = |successor: &i64| facts.tasks.get(successor).is_some_and(|it| it.version == 1);
        let holds = if task.completed {
            successors.len() == 1
        } else {
            successors.len() <= 1 && !successors.iter().any(untouched)
        };
        if !holds {
            broken.push(format!("task {id}, {task:?}, has the successors {successors:?}"));
        }
    }
    broken
}

/// No instance of a series is there twice.
fn doubled_instances(facts: &Facts) -> Vec<String> {
    let mut tasks: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (id, task) in &facts.tasks {
        if let Some(instance) = &task.instance {
            tasks.entry(instance).or_default().push(*id);
        }
    }
    let doubled = tasks.iter().filter(|(_, tasks)| tasks.len() > 1);
    doubled
        .map(|(instance, tasks)| format!("instance {instance} is there as {tasks:?}"))
        .collect()
}

/// recurring-tasks has applied every completion of a recurring task, and nothing else.
fn unapplied(facts: &Facts) -> Vec<String> {
    let completions = facts
        .trail
        .iter()
        .filter(|told| told.kind == "completed" && told.recurring);
    let completions: BTreeSet<Uuid> = completions.map(|told| told.id).collect();
    let different: Vec<_> = completions.symmetric_difference(&facts.applied).collect();
    if different.is_empty() {
        Vec::new()
    } else {
        vec![format!("completed or applied, but not both: {different:?}")]
    }
}

/// The record is whole in the eyes of audit itself, and holds what was counted here.
fn unverified(facts: &Facts) -> Vec<String> {
    let (code, lines) = &facts.verification;
    let counted = format!("{} rows in ", facts.trail.len());
    if *code == Some(0) && lines.iter().any(|line| line.starts_with(&counted)) {
        Vec::new()
    } else {
        vec![format!(
            "audit verifies with {code:?}, counted were {counted}: {lines:?}"
        )]
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).expect("tests count less")
}

#[cfg(test)]
mod tests;
