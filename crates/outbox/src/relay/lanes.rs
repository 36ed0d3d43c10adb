//! What each slot of a relay is doing: the decisions, without I/O.
//!
//! A slot has at most one batch under way. Together with the publisher's promise (no record is published before an
//! earlier one of its key) this is all that order needs, also when a part of a batch fails.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::backoff::Backoff;
use crate::slot::{Slot, SlotSet};

/// Keys that one slot leaves out at most; with more, the slot waits as a whole.
const MAX_PARKED_KEYS: usize = 32;

/// When the broker takes nothing.
const SLOT_BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(5),
};

/// When the broker takes others, but not this key.
const KEY_BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_mins(1),
};

/// The slots that a relay owns.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    own: SlotSet,
    /// May have rows that were not read.
    dirty: SlotSet,
    /// Have a batch under way.
    busy: SlotSet,
    waits: [Waits; Slot::COUNT],
}

/// What waits in a slot after a failure.
#[derive(Debug, Default)]
struct Waits {
    /// The slot as a whole waits.
    held: Option<Held>,
    /// These keys wait while the others go on.
    parked: BTreeMap<String, Held>,
    /// Keys that were parked until the batch under way, with how often they failed.
    retried: BTreeMap<String, u32>,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    failures: u32,
    until: Instant,
}

/// What became of the batch of a slot.
#[derive(Debug, Default)]
pub(super) struct BatchOutcome {
    /// Whether any record was acknowledged.
    pub(super) progress: bool,
    /// Keys of which a record was not acknowledged.
    pub(super) failed: BTreeMap<String, Reason>,
}

/// Why a record was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// The record can never be published as it is.
    Refused,
    /// The broker did not answer, or not well.
    Unacknowledged,
}

impl Lanes {
    pub(super) fn own(&self) -> SlotSet {
        self.own
    }

    /// Own slots without a batch under way.
    pub(super) fn idle(&self) -> SlotSet {
        self.own - self.busy
    }

    pub(super) fn gain(&mut self, slots: SlotSet) {
        self.own = self.own | slots;
        self.dirty = self.dirty | slots;
    }

    /// Gives up idle slots.
    pub(super) fn lose(&mut self, slots: SlotSet) {
        self.own = self.own - slots;
        self.dirty = self.dirty - slots;
        for slot in slots.iter() {
            self.waits[slot.index()] = Waits::default();
        }
    }

    /// There may be new rows in any slot.
    pub(super) fn wake(&mut self) {
        self.dirty = self.own;
    }

    /// The slots to read now.
    pub(super) fn readable(&self, now: Instant) -> SlotSet {
        let readable = |slot: &Slot| {
            let waits = &self.waits[slot.index()];
            let wanted = self.dirty.contains(*slot) || waits.parked.values().any(|held| held.until <= now);
            wanted && waits.held.is_none_or(|held| held.until <= now)
        };
        self.idle().iter().filter(readable).collect()
    }

    /// Keys to leave out when these slots are read now.
    pub(super) fn left_out(&self, slots: SlotSet, now: Instant) -> Vec<String> {
        let parked = slots.iter().flat_map(|slot| &self.waits[slot.index()].parked);
        parked
            .filter(|(_, held)| held.until > now)
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// When a wait of an idle slot ends next.
    pub(super) fn next_retry(&self, now: Instant) -> Option<Instant> {
        let waits = self.idle().iter().map(|slot| &self.waits[slot.index()]);
        let held = waits.flat_map(|waits| waits.held.iter().chain(waits.parked.values()));
        held.map(|held| held.until).filter(|until| *until > now).min()
    }

    /// A slot was read, without what [`Lanes::left_out`] said at the same `now`. `any` rows are its next batch; there
    /// may be `more` of them.
    pub(super) fn was_read(&mut self, slot: Slot, any: bool, more: bool, now: Instant) {
        if any {
            self.busy.insert(slot);
        }
        if !more {
            self.dirty.remove(slot);
        }
        let waits = &mut self.waits[slot.index()];
        let due = waits.parked.extract_if(.., |_, held| held.until <= now);
        waits.retried = due.map(|(key, held)| (key, held.failures)).collect();
    }

    /// The batch of a slot has ended, and what was acknowledged is deleted.
    pub(super) fn settled(&mut self, slot: Slot, outcome: BatchOutcome, now: Instant) {
        self.busy.remove(slot);
        let waits = &mut self.waits[slot.index()];
        if outcome.progress {
            waits.held = None;
        }
        if outcome.failed.is_empty() {
            return;
        }
        let broker_is_well = outcome.progress || outcome.failed.values().all(|reason| *reason == Reason::Refused);
        if broker_is_well && waits.parked.len() + outcome.failed.len() <= MAX_PARKED_KEYS {
            for key in outcome.failed.into_keys() {
                let failures = waits.retried.get(&key).map_or(1, |failures| failures.saturating_add(1));
                waits.parked.insert(key, Held::after(failures, KEY_BACKOFF, now));
            }
        } else {
            let failures = waits.held.map_or(1, |held| held.failures.saturating_add(1));
            waits.held = Some(Held::after(failures, SLOT_BACKOFF, now));
            waits.parked.clear();
            self.dirty.insert(slot);
        }
    }
}

impl Held {
    fn after(failures: u32, backoff: Backoff, now: Instant) -> Self {
        Self {
            failures,
            until: now + backoff.after(failures),
        }
    }
}

#[cfg(test)]
mod tests;
