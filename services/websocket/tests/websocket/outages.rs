//! The brokers die: nobody has to start anything again, and nothing is passed over.

use test_kit::EnginePair;

use crate::world::World;

#[tokio::test]
async fn kill_kafka_and_no_change_is_missed() {
    let engines = EnginePair::start_fast().await;
    let world = World::on(&engines.kafka.address()).await;
    let replica = world.start().await;
    let mut ada = world.welcomed(&replica, "ada").await;
    world.change("ada", 1..=5).await;
    assert_eq!(ada.changes(5).await, (1..=5).collect::<Vec<_>>());
    engines.kafka.kill().await;
    replica.becomes(r#"dependency_up{dependency="broker"}"#, 0.0).await;
    // Clients stay, and new ones come.
    let mut other = world.welcomed(&replica, "ada").await;
    engines.kafka.start().await;
    world.change("ada", 6..=10).await;
    assert_eq!(ada.changes(5).await, (6..=10).collect::<Vec<_>>());
    assert_eq!(other.changes(5).await, (6..=10).collect::<Vec<_>>());
    assert_eq!(
        replica.value_of(r#"websocket_refetches_total{reason="gap"}"#).await,
        0.0
    );
    replica.stop().await;
}
