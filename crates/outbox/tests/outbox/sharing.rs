//! Several relays of one schema.

use std::{slice, sync::Arc};

use outbox::Bell;
use tokio::task::JoinSet;

use crate::support::{OFTEN, World};

/// Writers of the tasks 1 to 20, each write heard by one relay of several.
fn start_writers(world: &Arc<World>, bells: &[Bell], writes_each: i64) -> JoinSet<()> {
    let mut writers = JoinSet::new();
    for writer in 0..4_usize {
        let (world, bell) = (world.clone(), bells[writer % bells.len()].clone());
        let offset = i64::try_from(writer).unwrap();
        writers.spawn(async move {
            for write in 0..writes_each {
                world.write(1 + (offset + 7 * write) % 20, &bell).await;
            }
        });
    }
    writers
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_come_and_go_without_loss_copies_or_disorder() {
    let world = Arc::new(World::new().await);
    let first = world.start_relay(OFTEN);
    world.wait_until_slots_are(&[16]).await;
    let writers = start_writers(&world, slice::from_ref(&first.bell), 250);
    let second = world.start_relay(OFTEN);
    world.wait_until_slots_are(&[8, 8]).await;
    let third = world.start_relay(OFTEN);
    world.wait_until_slots_are(&[4, 6, 6]).await;
    first.stop().await;
    world.wait_until_slots_are(&[8, 8]).await;
    writers.join_all().await;
    let log = world.published(1000).await;
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    assert_eq!(world.records(), 1000);
    assert!(second.count("outbox_published_total") > 0, "each does its part");
    second.stop().await;
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slots_of_a_relay_that_dies_are_taken_over() {
    let world = Arc::new(World::new().await);
    let dies = world.start_relay(OFTEN);
    world.wait_until_slots_are(&[16]).await;
    let lives = world.start_relay(OFTEN);
    world.wait_until_slots_are(&[8, 8]).await;
    let mut writers = start_writers(&world, &[dies.bell.clone(), lives.bell.clone()], 250);
    writers.join_next().await.unwrap().unwrap();
    dies.abort().await;
    world.wait_until_slots_are(&[16]).await;
    writers.join_all().await;
    let log = world.published(1000).await;
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    lives.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_loses_its_locks_takes_them_again() {
    let world = Arc::new(World::new().await);
    let relay = world.start_relay(OFTEN);
    world.wait_until_slots_are(&[16]).await;
    let mut writers = start_writers(&world, slice::from_ref(&relay.bell), 250);
    for _ in 0..3 {
        writers.join_next().await.unwrap().unwrap();
        for process in world.server_processes("relay").await {
            world.kill(process).await;
        }
    }
    writers.join_all().await;
    let log = world.published(1000).await;
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    world.wait_until_slots_are(&[16]).await;
    relay.stop().await;
}
