//! What can never be appended becomes a dead letter and blocks nobody.

use catalogue::topics::{REMINDERS, TASK_EVENTS};
use test_kit::wait_until;

use crate::{
    events::{days_ago, reminder_event, task_event, task_event_of},
    world::{PATIENCE, World},
};

async fn the_dead_letter(world: &World, topic: &str) -> String {
    wait_until("there is one dead letter", PATIENCE, async || {
        match &world.dead_letters(topic).await[..] {
            [letter] => Ok(letter.clone()),
            letters => Err(letters.join("\n\n")),
        }
    })
    .await
}

#[tokio::test]
async fn what_is_no_event_is_a_dead_letter() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut poison = task_event("ada", 7, 2);
    poison.value = b"{ no event".to_vec().into();
    world
        .publish(&[task_event("ada", 7, 1), poison, task_event("ada", 7, 3)])
        .await;
    world.rows(2).await;
    let letter = the_dead_letter(&world, TASK_EVENTS).await;
    assert!(letter.contains("not_json"), "{letter}");
    replica.stop().await;
    world.assert_whole(2).await;
}

#[tokio::test]
async fn an_event_of_somebody_elses_task_is_a_dead_letter() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish(&[task_event("ada", 7, 1)]).await;
    world.rows(1).await;
    world
        .publish(&[reminder_event("bob", 7, 1), reminder_event("ada", 7, 1)])
        .await;
    world.rows(2).await;
    let letter = the_dead_letter(&world, REMINDERS).await;
    assert!(letter.contains("rejected"), "{letter}");
    assert!(letter.contains("task 7 belongs to another person"), "{letter}");
    replica.stop().await;
    world.assert_whole(2).await;
}

#[tokio::test]
async fn an_event_from_the_future_is_a_dead_letter() {
    let world = World::new().await;
    let replica = world.start().await;
    let of = |version, days| task_event_of("ada", 7, version, days_ago(days));
    world.publish(&[of(1, -7), of(2, -9), of(3, 0)]).await;
    world.rows(2).await;
    let letter = the_dead_letter(&world, TASK_EVENTS).await;
    assert!(letter.contains("more than 7 days ahead"), "{letter}");
    replica.stop().await;
    world.assert_whole(2).await;
}
