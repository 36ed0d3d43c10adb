//! What is known of deliveries that failed: the sidecar tells neither how often it has tried nor why that failed.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::record::Place;
use crate::handler::Cause;

/// Records that are remembered. A partition has one that fails at a time; what is left of others is from partitions
/// that have moved away, and the oldest goes first.
const MOST: usize = 10_000;

/// The failures of each record that is not settled. In memory, as the sidecar's own count is: whoever starts again, or
/// gets the partition, begins anew.
#[derive(Default)]
pub(super) struct Failures(Mutex<BTreeMap<Place, Failure>>);

/// The failures of one record.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) first_seen: Timestamp,
    /// Attempts that were counted.
    pub(super) attempts: u32,
    /// What becomes of it.
    pub(super) verdict: Verdict,
}

/// What becomes of a record.
#[derive(Clone)]
pub(super) enum Verdict {
    /// It is tried again.
    Open,
    /// It is given up, for this reason; its dead letter is not written yet.
    GivenUp(Cause),
    /// Its dead letter is written.
    Written,
}

impl Failures {
    /// What is known of the record, which is seen now.
    pub(super) fn seen(&self, place: &Place) -> Failure {
        let mut all = self.all();
        if !all.contains_key(place) && all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, failure)| failure.first_seen);
            if let Some(oldest) = oldest.map(|(place, _)| place.clone()) {
                all.remove(&oldest);
            }
        }
        let new = || Failure {
            first_seen: Timestamp::now(),
            attempts: 0,
            verdict: Verdict::Open,
        };
        all.entry(place.clone()).or_insert_with(new).clone()
    }

    /// Counts an attempt, and returns how many there were.
    pub(super) fn count(&self, place: &Place) -> u32 {
        let mut all = self.all();
        all.get_mut(place).map_or(1, |failure| {
            failure.attempts += 1;
            failure.attempts
        })
    }

    pub(super) fn decide(&self, place: &Place, verdict: Verdict) {
        if let Some(failure) = self.all().get_mut(place) {
            failure.verdict = verdict;
        }
    }

    /// The record is settled.
    pub(super) fn forget(&self, place: &Place) {
        self.all().remove(place);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Place, Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: i64) -> Place {
        Place {
            topic: "task-events".to_owned(),
            partition: 0,
            offset,
        }
    }

    #[test]
    fn attempts_are_counted_until_the_record_is_settled() {
        let failures = Failures::default();
        failures.seen(&place(1));
        assert_eq!((failures.count(&place(1)), failures.count(&place(1))), (1, 2));
        failures.forget(&place(1));
        assert_eq!(failures.seen(&place(1)).attempts, 0);
    }

    #[test]
    fn only_so_many_are_remembered() {
        let failures = Failures::default();
        for offset in 0..=i64::try_from(MOST).unwrap() {
            failures.seen(&place(offset));
        }
        assert_eq!(failures.all().len(), MOST);
    }
}
