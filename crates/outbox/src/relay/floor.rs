//! From which position on a slot must be read.
//!
//! Deleted rows stay in the index until they are vacuumed, and as long as an old snapshot is open (a dump, a report) they
//! cannot be. Without a floor every read would walk over them again: measured, 0.16 s per read for 200,000 of them.
//!
//! A floor must not be "the last position that was read": a transaction that took an older position may commit later. It
//! rises in two steps instead. First the relay *marks*: the last position given out, and after that the first
//! transaction id not given out. Every position up to the mark belongs to a transaction with an older id, because
//! [`append`](crate::append) makes sure of its id first. Once the oldest running transaction is not older than the
//! mark's, all of those have ended: what they committed is visible, and no row below the first visible one can appear.

use crate::slot::{Slot, SlotSet};

/// The floors of a relay's slots, and what it waits for to raise them.
#[derive(Debug, Default)]
pub(super) struct Floors {
    floors: [i64; Slot::COUNT],
    mark: Option<Mark>,
}

/// A moment in the life of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The last position that was given out.
    pub(super) position: i64,
    /// Read after the position: the first transaction id that was not given out.
    pub(super) transaction: i64,
}

/// What the table looked like in one snapshot after a [`Mark`].
#[derive(Debug)]
pub(super) struct Sight {
    /// The oldest transaction that was running.
    pub(super) oldest_running: i64,
    /// The first visible position of each slot that has a row at or above its floor.
    pub(super) first_positions: Vec<(Slot, i64)>,
}

impl Floors {
    /// The lowest position that a row of this slot can have.
    pub(super) fn of(&self, slot: Slot) -> i64 {
        self.floors[slot.index()]
    }

    /// As a parameter beside [`SlotSet::numbers`].
    pub(super) fn of_all(&self, slots: SlotSet) -> Vec<i64> {
        slots.iter().map(|slot| self.of(slot)).collect()
    }

    pub(super) fn has_mark(&self) -> bool {
        self.mark.is_some()
    }

    pub(super) fn set_mark(&mut self, mark: Mark) {
        self.mark = Some(mark);
    }

    /// Raises the floors of these slots, if everything that the mark waits for has ended. Then the next mark can be set.
    pub(super) fn rise(&mut self, slots: SlotSet, sight: &Sight) {
        let Some(mark) = self.mark.take_if(|mark| mark.transaction <= sight.oldest_running) else {
            return;
        };
        for slot in slots.iter() {
            let first = sight.first_positions.iter().find(|(it, _)| *it == slot);
            let above_mark = mark.position + 1;
            self.floors[slot.index()] = first.map_or(above_mark, |(_, position)| above_mark.min(*position));
        }
    }

    /// Another relay may publish these slots from now on: what is known about them becomes old.
    pub(super) fn forget(&mut self, slots: SlotSet) {
        for slot in slots.iter() {
            self.floors[slot.index()] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: i16) -> Slot {
        Slot::from_number(number).unwrap()
    }

    fn sight(oldest_running: i64, first_positions: &[(i16, i64)]) -> Sight {
        Sight {
            oldest_running,
            first_positions: first_positions
                .iter()
                .map(|(number, position)| (slot(*number), *position))
                .collect(),
        }
    }

    fn marked(position: i64, transaction: i64) -> Floors {
        let mut floors = Floors::default();
        floors.set_mark(Mark { position, transaction });
        floors
    }

    #[test]
    fn a_running_writer_holds_the_floor() {
        let mut floors = marked(100, 50);
        floors.rise(SlotSet::ALL, &sight(49, &[]));
        assert_eq!(floors.of(slot(3)), 0);
        assert!(floors.has_mark(), "the same mark is looked at again");
        floors.rise(SlotSet::ALL, &sight(50, &[]));
        assert_eq!(floors.of(slot(3)), 101);
        assert!(!floors.has_mark());
    }

    #[test]
    fn a_row_that_waits_holds_the_floor_of_its_slot() {
        let mut floors = marked(100, 50);
        floors.rise(SlotSet::ALL, &sight(60, &[(3, 70), (4, 120)]));
        assert_eq!(floors.of(slot(3)), 70);
        assert_eq!(floors.of(slot(4)), 101);
        assert_eq!(floors.of(slot(5)), 101);
    }

    #[test]
    fn a_slot_of_another_relay_has_no_floor() {
        let mut floors = marked(100, 50);
        let own: SlotSet = [slot(3)].into_iter().collect();
        floors.rise(own, &sight(50, &[]));
        assert_eq!(floors.of_all(SlotSet::ALL)[..4], [0, 0, 0, 101]);
        floors.forget(own);
        assert_eq!(floors.of(slot(3)), 0);
    }
}
