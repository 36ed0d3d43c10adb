//! A table, a broker and the lanes in between, all in memory: whatever fails, each key's rows arrive in their order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const KEYS: u8 = 40;
const LIMIT: usize = 6;

/// What the broker does with one batch.
#[derive(Clone, Debug)]
enum Broker {
    TakesAll,
    IsAway,
    /// It fails from each key's nth record of the batch on.
    FailsFrom(BTreeMap<u8, usize>),
}

fn broker() -> impl Strategy<Value = Broker> {
    prop_oneof![
        3 => Just(Broker::TakesAll),
        1 => Just(Broker::IsAway),
        2 => prop::collection::btree_map(0..KEYS, 0_usize..3, 1..4).prop_map(Broker::FailsFrom),
    ]
}

/// One slot with its rows, keys numbered.
struct World {
    slot: Slot,
    lanes: Lanes,
    now: Instant,
    /// Position and key.
    rows: Vec<(usize, u8)>,
    published: Vec<(usize, u8)>,
}

impl World {
    fn new(keys: &[u8]) -> Self {
        let slot = Slot::of_key("1");
        let mut lanes = Lanes::default();
        lanes.gain([slot].into_iter().collect());
        Self {
            slot,
            lanes,
            now: Instant::now(),
            rows: keys.iter().copied().enumerate().collect(),
            published: Vec::new(),
        }
    }

    /// Reads and publishes one batch; false when there is nothing to do now.
    fn turn(&mut self, broker: &Broker, refused: &BTreeSet<u8>) -> bool {
        let slots = self.lanes.readable(self.now);
        if slots.is_empty() {
            return false;
        }
        let left_out = self.lanes.left_out(slots, self.now);
        let visible = self.rows.iter().filter(|(_, key)| !left_out.contains(&key.to_string()));
        let batch: Vec<_> = visible.take(LIMIT).copied().collect();
        self.lanes
            .was_read(self.slot, !batch.is_empty(), batch.len() == LIMIT, self.now);
        if batch.is_empty() {
            return true;
        }
        assert!(self.lanes.readable(self.now).is_empty(), "one batch at a time");
        let mut outcome = BatchOutcome::default();
        let mut seen: BTreeMap<u8, usize> = BTreeMap::new();
        for (position, key) in batch {
            let nth = seen.entry(key).or_default();
            let fails = match broker {
                Broker::TakesAll => false,
                Broker::IsAway => true,
                Broker::FailsFrom(from) => from.get(&key).is_some_and(|from| *nth >= *from),
            };
            *nth += 1;
            if refused.contains(&key) {
                outcome.failed.insert(key.to_string(), Reason::Refused);
            } else if fails {
                outcome.failed.insert(key.to_string(), Reason::Unacknowledged);
            } else {
                outcome.progress = true;
                self.published.push((position, key));
            }
        }
        self.rows.retain(|row| !self.published.contains(row));
        self.lanes.settled(self.slot, outcome, self.now);
        true
    }

    /// Lets time pass until a wait ends; false when nothing waits.
    fn pass_time(&mut self) -> bool {
        let next = self.lanes.next_retry(self.now);
        self.now = next.unwrap_or(self.now);
        next.is_some()
    }

    fn assert_order(&self) {
        let mut last: BTreeMap<u8, usize> = BTreeMap::new();
        for (position, key) in &self.published {
            let before = last.insert(*key, *position);
            assert!(before < Some(*position), "key {key}: {before:?} before {position}");
        }
    }
}

proptest! {
    #[test]
    fn every_row_arrives_in_the_order_of_its_key_once_the_broker_is_well(
        keys in prop::collection::vec(0..KEYS, 0..60),
        brokers in prop::collection::vec((broker(), any::<bool>()), 0..30),
        refused in prop::collection::btree_set(0..KEYS, 0..3),
    ) {
        let mut world = World::new(&keys);
        for (broker, wake) in brokers {
            if wake {
                world.lanes.wake();
            }
            if !world.turn(&broker, &refused) {
                world.pass_time();
            }
        }
        let mut turns = 0;
        let waits = |world: &World| world.rows.iter().any(|(_, key)| !refused.contains(key));
        while waits(&world) {
            turns += 1;
            prop_assert!(turns < 1_000, "not drained: {:?}", world.rows);
            prop_assert!(world.turn(&Broker::TakesAll, &refused) || world.pass_time(), "nothing is under way");
        }
        world.assert_order();
        prop_assert_eq!(world.published.len() + world.rows.len(), keys.len());
    }
}

#[test]
fn a_refused_key_waits_longer_each_time_and_holds_back_no_other() {
    let mut world = World::new(&[7, 1, 7, 2]);
    let refused = [7].into();
    assert!(world.turn(&Broker::TakesAll, &refused));
    assert_eq!(world.published, [(1, 1), (3, 2)]);
    let mut waits = Vec::new();
    for _ in 0..8 {
        assert!(
            !world.turn(&Broker::TakesAll, &refused),
            "nothing to read before the wait has ended"
        );
        let before = world.now;
        assert!(world.pass_time());
        waits.push(world.now - before);
        assert!(world.turn(&Broker::TakesAll, &refused));
    }
    assert!(waits[0] <= Duration::from_secs(1), "{waits:?}");
    assert!(waits[7] >= Duration::from_secs(30), "{waits:?}");
    world.pass_time();
    assert!(world.turn(&Broker::TakesAll, &BTreeSet::new()), "the record was mended");
    assert_eq!(world.published[2..], [(0, 7), (2, 7)]);
}

#[test]
fn a_waiting_key_that_is_gone_leaves_nothing_behind() {
    let mut world = World::new(&[7, 1]);
    world.turn(&Broker::TakesAll, &[7].into());
    world.rows.clear();
    world.pass_time();
    assert!(world.turn(&Broker::TakesAll, &BTreeSet::new()), "looks once");
    assert!(
        !world.turn(&Broker::TakesAll, &BTreeSet::new()) && !world.pass_time(),
        "and never again"
    );
}

#[test]
fn a_slot_waits_while_the_broker_is_away() {
    let mut world = World::new(&[1, 2]);
    let none = BTreeSet::new();
    let mut waited = Duration::ZERO;
    for _ in 0..12 {
        assert!(world.turn(&Broker::IsAway, &none));
        world.lanes.wake();
        assert!(!world.turn(&Broker::TakesAll, &none), "a ring does not end the wait");
        let before = world.now;
        assert!(world.pass_time());
        waited = world.now - before;
    }
    assert!(
        waited >= Duration::from_millis(2500) && waited <= Duration::from_secs(5),
        "{waited:?}"
    );
    assert!(world.turn(&Broker::TakesAll, &none));
    assert_eq!(world.published.len(), 2);
}

#[test]
fn too_many_waiting_keys_make_the_slot_wait() {
    let keys: Vec<u8> = (0..KEYS).collect();
    let mut world = World::new(&keys);
    let refused: BTreeSet<u8> = (0..KEYS - 1).collect();
    for _ in 0..100 {
        if !world.turn(&Broker::TakesAll, &refused) {
            world.pass_time();
        }
        assert!(world.lanes.left_out(SlotSet::ALL, world.now).len() <= MAX_PARKED_KEYS);
    }
}

#[test]
fn a_slot_that_is_given_back_is_not_read() {
    let mut world = World::new(&[1]);
    world.lanes.lose(SlotSet::ALL);
    world.lanes.wake();
    assert!(world.lanes.readable(world.now).is_empty());
}
