//! What relays share: the keys of a schema, dealt into a fixed number of slots.

use std::ops::{BitAnd, BitOr, Sub};

use event_bus::murmur2;

/// A group of keys that one relay at a time publishes, 0 to 15.
///
/// The number of slots can never change while rows are there: a key would move to another slot and overtake itself. It
/// is also the largest number of relays that share a schema; more stand by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(u8);

impl Slot {
    /// Number of slots, a power of two.
    pub const COUNT: usize = 16;

    const MASK: i32 = 15;

    /// The slot of this record key.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        let bits = murmur2(key.as_bytes()) & Self::MASK;
        Self(u8::try_from(bits).expect("the mask leaves four bits"))
    }

    /// The value of the column `slot`, or of a lock's number; `None` out of range.
    pub(crate) fn from_number(number: impl TryInto<usize>) -> Option<Self> {
        let index = number.try_into().ok().filter(|index| *index < Self::COUNT)?;
        u8::try_from(index).ok().map(Self)
    }

    /// 0 to 15, as the column `slot` has it.
    pub(crate) fn number(self) -> i16 {
        self.0.into()
    }

    /// 0 to 15, for arrays of [`Slot::COUNT`].
    pub(crate) fn index(self) -> usize {
        self.0.into()
    }
}

/// Some of the slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SlotSet(u16);

impl SlotSet {
    pub(crate) const ALL: Self = Self(u16::MAX);

    pub(crate) fn contains(self, slot: Slot) -> bool {
        self.0 & (1 << slot.0) != 0
    }

    pub(crate) fn insert(&mut self, slot: Slot) {
        self.0 |= 1 << slot.0;
    }

    pub(crate) fn remove(&mut self, slot: Slot) {
        self.0 &= !(1 << slot.0);
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn len(self) -> usize {
        self.iter().count()
    }

    /// Ascending.
    pub(crate) fn iter(self) -> impl Iterator<Item = Slot> {
        (0..16).map(Slot).filter(move |slot| self.contains(*slot))
    }

    /// As the column `slot` has them, ascending.
    pub(crate) fn numbers(self) -> Vec<i16> {
        self.iter().map(Slot::number).collect()
    }
}

impl FromIterator<Slot> for SlotSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut set = Self::default();
        slots.into_iter().for_each(|slot| set.insert(slot));
        set
    }
}

impl BitAnd for SlotSet {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for SlotSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Sub for SlotSet {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_slots_of_known_keys_stay_where_they_are() {
        // murmur2: -973932308, -267702483 and -1031629061.
        assert_eq!(Slot::of_key("21").number(), 12);
        assert_eq!(Slot::of_key("123").number(), 13);
        assert_eq!(Slot::of_key("9007199254740991").number(), 11);
    }

    #[test]
    fn task_ids_are_dealt_evenly() {
        let mut keys_of = [0_u32; Slot::COUNT];
        for task in 1..=16_000 {
            keys_of[Slot::of_key(&task.to_string()).index()] += 1;
        }
        assert!(keys_of.iter().all(|keys| (800..1200).contains(keys)), "{keys_of:?}");
    }

    #[test]
    fn a_number_out_of_range_is_no_slot() {
        assert_eq!(Slot::from_number(15_i16).map(Slot::number), Some(15));
        assert_eq!(Slot::from_number(16_i16), None);
        assert_eq!(Slot::from_number(-1_i16), None);
    }

    proptest! {
        #[test]
        fn a_slot_set_is_a_set(a: BTreeSet<u8>, b: BTreeSet<u8>) {
            let slots = |numbers: &BTreeSet<u8>| -> BTreeSet<u8> { numbers.iter().map(|it| it & 15).collect() };
            let (a, b) = (slots(&a), slots(&b));
            let set = |numbers: &BTreeSet<u8>| numbers.iter().filter_map(|it| Slot::from_number(*it)).collect::<SlotSet>();
            let back = |set: SlotSet| -> BTreeSet<u8> { set.iter().map(|slot| slot.0).collect() };
            prop_assert_eq!(back(set(&a) | set(&b)), &a | &b);
            prop_assert_eq!(back(set(&a) & set(&b)), &a & &b);
            prop_assert_eq!(back(set(&a) - set(&b)), &a - &b);
            prop_assert_eq!(set(&a).len(), a.len());
            prop_assert_eq!(set(&a).is_empty(), a.is_empty());
        }
    }
}
