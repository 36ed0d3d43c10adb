//! A process that dies at each of its named places, and one that takes over.

use std::os::unix::process::ExitStatusExt as _;

use crate::{
    events::task_event,
    world::{PATIENCE, World},
};

/// Dies at this place with the second event, is followed by another that finds at least so many rows in place already, and
/// every event is one row.
async fn survives(place: &str, found: f64) {
    let world = World::new().await;
    let at = format!("{place}:2");
    let mut dying = world.start_with(&[(event_bus::crash::VARIABLE, &at)]).await;
    let events = [1, 2, 3].map(|version| task_event("ada", 7, version));
    world.publish(&events).await;
    let status = dying.process.exit(PATIENCE).await;
    assert_eq!(status.signal(), Some(9), "{place}: {:#?}", dying.process.lines());

    let next = world.start().await;
    world.rows(3).await;
    assert_eq!(world.chain(7).await, events.map(|event| event.event_id));
    next.reaches(r#"inbox_duplicates_total{topic="task-events"}"#, found)
        .await;
    next.stop().await;
    world.assert_whole(3).await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn dying_before_the_commit_leaves_the_event_to_the_next() {
    // The first is found again, unless its offset was committed in time.
    survives("audit.before_commit", 0.0).await;
}

#[tokio::test]
async fn dying_after_the_commit_leaves_a_row_that_the_next_finds() {
    survives("audit.after_commit", 1.0).await;
}

#[tokio::test]
async fn dying_before_the_acknowledgement_leaves_a_row_that_the_next_finds() {
    survives("consumer.before_ack", 1.0).await;
}
