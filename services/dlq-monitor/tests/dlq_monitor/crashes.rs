//! A process that dies at each named place, and one that takes over: no letter is lost or kept twice, and every event is
//! applied once.

use std::{collections::BTreeSet, os::unix::process::ExitStatusExt as _};

use catalogue::services::AUDIT;
use test_kit::crash_points;

use crate::{
    consumer::Consumer,
    events::task_event,
    world::{PATIENCE, World},
};

/// Dies at this place while letters arrive.
async fn keeps_letters(place: &str) {
    let world = World::new().await;
    let mut dying = world.start_with(&[(event_bus::crash::VARIABLE, place)]).await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    let events: Vec<_> = (1..=5).map(|version| task_event("ada", 7, version)).collect();
    world.publish(&events).await;
    let status = dying.process.exit(PATIENCE).await;
    assert_eq!(status.signal(), Some(9), "{place}: {:#?}", dying.process.lines());
    let next = world.start().await;
    world.letters("waiting", 5).await;
    world.has_seen(7, 5).await;
    assert_eq!(
        world
            .count("select count(distinct event_id) from dlq.dead_letter")
            .await,
        5
    );
    consumer.stop().await;
    next.stop().await;
}

/// Dies at this place while a replay goes on.
async fn replays_once(place: &str) {
    let world = World::new().await;
    let first = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    let events: Vec<_> = (1..=2)
        .flat_map(|version| [7, 8, 9].map(|task| task_event("ada", task, version)))
        .collect();
    world.publish(&events).await;
    world.letters("waiting", 6).await;
    first.stop().await;
    consumer.is_broken(false);

    let (code, printed) = world.types(&["replay", "--all", "--no-wait"]).await;
    assert_eq!(code, 0, "{printed}");
    let mut dying = world.start_with(&[(event_bus::crash::VARIABLE, place)]).await;
    let status = dying.process.exit(PATIENCE).await;
    assert_eq!(status.signal(), Some(9), "{place}: {:#?}", dying.process.lines());
    let next = world.start().await;
    consumer.has_applied(6).await;
    world.letters("replayed", 6).await;
    for task in [7, 8, 9] {
        assert_eq!(consumer.versions(task), [1, 2], "{place}");
    }
    world.is_settled().await;
    consumer.stop().await;
    next.stop().await;
}

macro_rules! dies_at {
    ($($name:ident: $test:ident $place:literal;)*) => {
        const PLACES: &[&str] = &[$($place),*];

        $(
            #[tokio::test]
            async fn $name() {
                $test($place).await;
            }
        )*
    };
}

dies_at! {
    before_a_letter_is_kept: keeps_letters "dlq.before_store_commit:3";
    after_a_letter_is_kept: keeps_letters "dlq.after_store_commit:3";
    before_the_offset_of_a_letter: keeps_letters "consumer.before_ack:4";
    before_a_step_of_a_replay_is_committed: replays_once "dlq.before_step_commit:2";
    after_a_step_of_a_replay_is_committed: replays_once "dlq.after_step_commit:2";
    between_the_publishing_of_an_event_and_its_mark: replays_once "outbox.after_publish:2";
}

#[test]
fn every_crash_point_of_the_service_has_its_test() {
    let tested = PLACES.iter().filter_map(|place| place.split(':').next());
    let own = |name: &&str| name.starts_with("dlq.");
    let tested: BTreeSet<&str> = tested.filter(own).collect();
    let in_the_code = crash_points::in_the_code();
    let in_the_code: BTreeSet<&str> = in_the_code.iter().map(String::as_str).filter(own).collect();
    assert_eq!(tested, in_the_code);
}
