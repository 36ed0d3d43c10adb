//! Several replicas: each sees everything.

use crate::world::World;

#[tokio::test]
async fn two_replicas_both_see_everything_and_one_takes_over_from_the_other() {
    let world = World::new().await;
    let mut first = world.start_with(&[("TASKFLOW_POD_NAME", "websocket-1")]).await;
    let second = world.start_with(&[("TASKFLOW_POD_NAME", "websocket-2")]).await;
    let mut ada = world.welcomed(&first, "ada").await;
    let mut other = world.welcomed(&second, "ada").await;
    world.change("ada", 1..=10).await;
    assert_eq!(ada.changes(10).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(other.changes(10).await, (1..=10).collect::<Vec<_>>());
    first.process.kill();
    world.change("ada", [11, 12]).await;
    assert_eq!(other.changes(2).await, [11, 12]);
    let mut ada = world.connect(&second, "ada", Some(10)).await;
    assert_eq!(ada.next().await["resumed"], true);
    assert_eq!(ada.changes(2).await, [11, 12]);
    // The same pod, again: it does not wait for the session of its predecessor.
    let first = world.start_with(&[("TASKFLOW_POD_NAME", "websocket-1")]).await;
    let mut back = world.connect(&first, "ada", Some(10)).await;
    assert_eq!(back.next().await["resumed"], false);
    assert_eq!(back.next().await["reason"], "too_old");
    world.change("ada", [13]).await;
    assert_eq!(back.changes(1).await, [13]);
    first.stop().await;
    second.stop().await;
}
