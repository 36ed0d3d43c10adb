//! Stopping in the middle of a command.

use test_kit::wait_until;

use crate::{
    completions::Recurring,
    world::{PATIENCE, World},
};

#[tokio::test]
async fn a_command_under_way_is_finished_before_the_service_stops() {
    let world = World::new().await;
    let replica = world.start().await;
    world.chat_api.set_hesitating(true);
    let event = Recurring::weekly(1).completed();
    world.publish([&event]).await;
    world.commands(1).await;

    replica.process.terminate();
    wait_until("the service begins to stop", PATIENCE, async || {
        let lines = replica.process.lines();
        let stopping = lines.iter().any(|line| line.contains("stopping on SIGTERM"));
        if stopping { Ok(()) } else { Err(lines.join("\n")) }
    })
    .await;
    world.chat_api.set_hesitating(false);
    replica.ends_well().await;

    let [first, last] = [event, Recurring::weekly(2).completed()];
    world.publish([&first, &last]).await;
    let replica = world.start().await;
    let tasks: Vec<i64> = world.commands(2).await.iter().map(|it| it.task).collect();
    assert_eq!(tasks, [1, 2], "the first was applied, and its offset committed");
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn a_command_that_is_never_answered_does_not_keep_the_service_from_stopping() {
    let world = World::new().await;
    let replica = world.start().await;
    world.chat_api.set_hesitating(true);
    world.publish([&Recurring::weekly(1).completed()]).await;
    world.commands(1).await;
    replica.stop().await;

    world.chat_api.set_hesitating(false);
    let replica = world.start().await;
    replica.reaches(r#"occurrences_total{outcome="created"}"#, 1).await;
    replica.stop().await;
    world.assert_no_dead_letters().await;
}
