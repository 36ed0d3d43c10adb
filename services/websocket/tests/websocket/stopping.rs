//! The end of a replica.

use std::time::{Duration, Instant};

use crate::{
    client::Connection,
    world::{PATIENCE, World, get},
};

#[tokio::test]
async fn a_replica_that_stops_sends_its_clients_away_in_time() {
    let world = World::new().await;
    let mut replica = world.start_with(&[("TASKFLOW_MAX_CLIENTS_PER_USER", "100")]).await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(world.welcomed(&replica, "ada").await);
    }
    // They never answer, and must not hold it up.
    let _deaf = world.connect(&replica, "bob", None).await;
    let _unknown = Connection::open(&replica).await;
    replica
        .becomes(r#"websocket_connections{protocol="websocket"}"#, 51.0)
        .await;
    let begun = Instant::now();
    replica.process.terminate();
    for client in &mut clients {
        assert_eq!(client.end().await, (1012, "restarting".to_owned()));
    }
    drop(clients);
    let status = replica.process.exit(PATIENCE).await;
    assert_eq!(status.code(), Some(0), "{:#?}", replica.process.lines());
    assert!(begun.elapsed() < Duration::from_secs(16), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_short_deadline_is_kept() {
    let world = World::new().await;
    let mut replica = world.start_with(&[("TASKFLOW_SHUTDOWN_DRAIN_SECONDS", "2")]).await;
    let _deaf = world.connect(&replica, "ada", None).await;
    replica
        .becomes(r#"websocket_connections{protocol="websocket"}"#, 1.0)
        .await;
    let begun = Instant::now();
    replica.process.terminate();
    assert_eq!(
        replica.process.exit(PATIENCE).await.code(),
        Some(0),
        "{:#?}",
        replica.process.lines()
    );
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn it_is_ready_only_once_nothing_will_be_missed() {
    let world = World::new().await;
    let nowhere = format!("127.0.0.1:{}", test_kit::free_port());
    let replica = world.begin_with(&[("TASKFLOW_KAFKA_BROKERS", &nowhere)]).await;
    let answer = get(replica.public, "/ready").await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.text.contains("the partitions are not read yet"),
        "{}",
        answer.text
    );
    assert_eq!(get(replica.public, "/health").await.status, 200);
    replica.stop().await;
    // What was published before is not told, what is published after is.
    world.change("ada", [1, 2]).await;
    let replica = world.start().await;
    let mut ada = world.connect(&replica, "ada", None).await;
    assert!(ada.next().await.get("sequence").is_none());
    world.change("ada", [3]).await;
    assert_eq!(ada.changes(1).await, [3]);
    replica.stop().await;
}
