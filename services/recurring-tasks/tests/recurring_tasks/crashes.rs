//! A process that dies at each of its named places, and one that takes over.

use std::os::unix::process::ExitStatusExt as _;

use test_kit::wait_until;

use crate::{
    completions::Recurring,
    world::{PATIENCE, World},
};

/// Dies at this place, and says how often chat-api was told about the one completion in all.
async fn commands_around(place: &str) -> usize {
    let world = World::new().await;
    let mut dying = world.start_with(&[(event_bus::crash::VARIABLE, place)]).await;
    world.publish([&Recurring::weekly(1).completed()]).await;
    let status = dying.process.exit(PATIENCE).await;
    assert_eq!(status.signal(), Some(9), "{place}: {:#?}", dying.process.lines());

    let next = world.start().await;
    world.publish([&Recurring::weekly(2).completed()]).await;
    wait_until(
        "both completions have their successor",
        PATIENCE,
        async || match world.chat_api.created() {
            2 => Ok(()),
            now => Err(now),
        },
    )
    .await;
    next.stop().await;
    world.assert_no_dead_letters().await;
    let commands = world.chat_api.commands();
    commands.iter().filter(|it| it.task == 1).count()
}

#[tokio::test]
async fn dying_before_the_call_leaves_it_to_the_next() {
    assert_eq!(commands_around("recurring.before_call").await, 1);
}

#[tokio::test]
async fn dying_after_the_call_makes_the_next_call_again_without_effect() {
    assert_eq!(commands_around("recurring.after_call").await, 2);
}

#[tokio::test]
async fn dying_after_the_commit_leaves_nothing_to_do() {
    assert_eq!(commands_around("recurring.after_commit").await, 1);
}
