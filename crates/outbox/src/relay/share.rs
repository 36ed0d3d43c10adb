//! Which slots a relay should own when several relays share a schema.

use crate::slot::{Slot, SlotSet};

/// The locks of all relays of a schema, as the database has them at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Locks {
    /// Relays that are connected, the asking one included.
    pub(super) relays: usize,
    /// Slots that a relay owns.
    pub(super) taken: SlotSet,
    /// Slots that the asking relay owns.
    pub(super) own: SlotSet,
}

/// What a relay should change about its slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// Slots to try to lock; another relay may be faster.
    pub(super) take: SlotSet,
    /// How many to give back, for relays that have fewer.
    pub(super) give_back: usize,
}

/// An equal part for each relay, rounded up: then no slot stays free, because not all can have their part before all
/// slots are taken. Relays beyond the number of slots stand by.
pub(super) fn fair_share(locks: Locks) -> Share {
    let part = Slot::COUNT.div_ceil(locks.relays.max(1));
    let own = locks.own.len();
    Share {
        take: (SlotSet::ALL - locks.taken)
            .iter()
            .take(part.saturating_sub(own))
            .collect(),
        give_back: own.saturating_sub(part),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One relay looks at the locks and takes or gives back its share.
    fn take_turn(owned: &mut [SlotSet], me: usize) {
        let locks = Locks {
            relays: owned.len(),
            taken: owned.iter().fold(SlotSet::default(), |all, own| all | *own),
            own: owned[me],
        };
        let share = fair_share(locks);
        let given_back: SlotSet = owned[me].iter().take(share.give_back).collect();
        owned[me] = (owned[me] - given_back) | share.take;
    }

    proptest! {
        #[test]
        fn every_slot_finds_one_owner_and_no_relay_owns_too_many(
            relays in 1_usize..=20,
            first_takes_all: bool,
            turns in prop::collection::vec(any::<prop::sample::Index>(), 0..100),
        ) {
            let mut owned = vec![SlotSet::default(); relays];
            if first_takes_all {
                owned[0] = SlotSet::ALL;
            }
            let by_chance = turns.iter().map(|turn| turn.index(relays));
            let each_twice = (0..relays).chain(0..relays);
            for me in by_chance.chain(each_twice) {
                take_turn(&mut owned, me);
            }
            let owners: usize = owned.iter().map(|own| own.len()).sum();
            let all = owned.iter().fold(SlotSet::default(), |all, own| all | *own);
            prop_assert_eq!(owners, Slot::COUNT, "each slot once");
            prop_assert_eq!(all, SlotSet::ALL);
            prop_assert!(owned.iter().all(|own| own.len() <= Slot::COUNT.div_ceil(relays)));
        }
    }

    #[test]
    fn a_relay_with_its_part_changes_nothing() {
        let own: SlotSet = SlotSet::ALL.iter().take(8).collect();
        let settled = Locks {
            relays: 2,
            taken: SlotSet::ALL,
            own,
        };
        assert_eq!(fair_share(settled), Share::default());
        let alone = Locks { relays: 1, ..settled };
        assert_eq!(
            fair_share(alone),
            Share::default(),
            "the other's slots are not free yet"
        );
    }
}
