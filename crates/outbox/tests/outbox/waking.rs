//! What wakes a relay.

use std::time::Duration;

use outbox::Bell;
use test_kit::wait_until;

use crate::support::{NEVER, OFTEN, PATIENCE, World};

/// Far below every poll interval of these tests.
const SOON: Duration = Duration::from_secs(1);

async fn wait_until_drained_soon(world: &World) {
    wait_until("the relay has heard it", SOON, async || {
        match world.unpublished().await {
            0 => Ok(()),
            rows => Err(format!("{rows} rows")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_wakes_the_relay_of_the_same_process() {
    let world = World::new().await;
    let relay = world.start_relay(NEVER);
    world.wait_until_slots_are(&[16]).await;
    for task in 1..=20 {
        world.write(task, &relay.bell).await;
        wait_until_drained_soon(&world).await;
    }
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_wakes_the_relay_of_another_replica() {
    let world = World::new().await;
    let owner = world.start_relay(NEVER);
    world.wait_until_slots_are(&[16]).await;
    let other = world.start_relay(NEVER);
    world.wait_until_slots_are(&[0, 16]).await;
    wait_until_listening(&world, 2).await;
    for task in 1..=20 {
        world.write(task, &other.bell).await;
        wait_until_drained_soon(&world).await;
    }
    assert_eq!(owner.count("outbox_published_total"), 20);
    owner.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_hears_others_again_after_its_listening_connection_was_lost() {
    let world = World::new().await;
    let owner = world.start_relay(NEVER);
    world.wait_until_slots_are(&[16]).await;
    let other = world.start_relay(NEVER);
    world.wait_until_slots_are(&[0, 16]).await;
    wait_until_listening(&world, 2).await;
    for killed in world.server_processes("listener").await {
        world.kill(killed).await;
        wait_until("it is gone", PATIENCE, async || {
            let left = world.server_processes("listener").await;
            if left.contains(&killed) { Err("not yet") } else { Ok(()) }
        })
        .await;
    }
    wait_until_listening(&world, 2).await;
    for task in 1..=20 {
        world.write(task, &other.bell).await;
        wait_until_drained_soon(&world).await;
    }
    owner.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_was_forgotten_costs_one_poll_interval() {
    let world = World::new().await;
    let relay = world.start_relay(OFTEN);
    world.write(1, &Bell::new()).await;
    world.wait_until_drained().await;
    relay.stop().await;
}

/// Waits until so many listeners have asked for notifications and are idle.
async fn wait_until_listening(world: &World, listeners: i64) {
    wait_until("relays listen", PATIENCE, async || {
        let listening: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle'
                 and application_name like '% outbox listener' and query like '%count(*)%'",
        )
        .fetch_one(&world.pool)
        .await
        .unwrap();
        if listening == listeners {
            Ok(())
        } else {
            Err(format!("{listening} listen"))
        }
    })
    .await;
}
