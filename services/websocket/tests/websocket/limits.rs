//! What a client can do to others: nothing.

use event_bus::Outgoing;
use futures::SinkExt as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{client::Connection, events::Change, world::World};

const SLOW: &str = r#"websocket_dropped_clients_total{reason="slow"}"#;
/// Fewer than may wait for a client.
const AT_ONCE: i64 = 100;
const ALWAYS: (&str, &str) = ("TASKFLOW_HEARTBEAT_SECONDS", "1");

/// The next changes of ada behind this one, each of some size; they are of one task, so they keep their order.
fn large_changes(sequence: i64) -> Vec<Outgoing> {
    let text = "x".repeat(4000);
    let change = |sequence| Change {
        task: 1,
        version: sequence,
        description: &text,
        ..Change::nth("ada", sequence)
    };
    (sequence + 1..=sequence + AT_ONCE)
        .map(|it| change(it).event())
        .collect()
}

#[tokio::test]
async fn a_slow_client_is_told_and_dropped_and_the_others_notice_nothing() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut slow = world.welcomed(&replica, "ada").await;
    let mut quick = world.welcomed(&replica, "ada").await;
    let mut sequence = 0;
    while replica.value_of(SLOW).await == 0.0 {
        world.publish(&large_changes(sequence)).await;
        let expected: Vec<_> = (sequence + 1..=sequence + AT_ONCE).collect();
        assert_eq!(quick.changes(expected.len()).await, expected);
        sequence += AT_ONCE;
    }
    replica
        .becomes(r#"websocket_connections{protocol="websocket"}"#, 1.0)
        .await;
    assert_eq!(replica.value_of(SLOW).await, 1.0);
    assert_eq!(slow.end().await, (4008, "slow".to_owned()));
    replica.stop().await;
}

#[tokio::test]
async fn who_does_not_answer_pings_is_dropped_and_who_does_stays() {
    let world = World::new().await;
    let replica = world.start_with(&[ALWAYS]).await;
    // It is never read, so its library answers no ping.
    let _dead = world.connect(&replica, "ada", None).await;
    let mut alive = world.welcomed(&replica, "ada").await;
    let mut beats = 0;
    while beats < 4 {
        if let Message::Text(text) = alive.frame().await {
            beats += usize::from(text.contains("heartbeat"));
        }
    }
    assert_eq!(
        replica
            .value_of(r#"websocket_dropped_clients_total{reason="heartbeat"}"#)
            .await,
        1.0
    );
    assert_eq!(
        replica.value_of(r#"websocket_connections{protocol="websocket"}"#).await,
        1.0
    );
    replica.stop().await;
}

#[tokio::test]
async fn there_are_so_many_places_and_no_more() {
    let world = World::new().await;
    let replica = world
        .start_with(&[("TASKFLOW_MAX_CLIENTS", "3"), ("TASKFLOW_MAX_CLIENTS_PER_USER", "2")])
        .await;
    let first = world.welcomed(&replica, "ada").await;
    let _second = world.welcomed(&replica, "ada").await;
    let mut third = world.connect(&replica, "ada", None).await;
    assert_eq!(third.end().await, (4029, "too_many".to_owned()));
    drop(third);
    replica
        .becomes(r#"websocket_dropped_clients_total{reason="limit"}"#, 1.0)
        .await;
    let _bob = world.welcomed(&replica, "bob").await;
    let Err(refused) = Connection::open_with(&replica, &[]).await else {
        panic!("it is let in");
    };
    assert!(refused.to_string().contains("503"), "{refused}");
    drop(first);
    replica
        .becomes(r#"websocket_connections{protocol="websocket"}"#, 2.0)
        .await;
    let _again = world.welcomed(&replica, "ada").await;
    replica.stop().await;
}

#[tokio::test]
async fn who_says_too_much_is_sent_away() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut large = Connection::open(&replica).await;
    large.say(&json!({"type": "hello", "token": "x".repeat(20_000)})).await;
    let ended = tokio::time::timeout(crate::world::PATIENCE, async {
        use futures::StreamExt as _;
        while let Some(Ok(_)) = large.0.next().await {}
    });
    ended.await.expect("a message that is too large ends the connection");
    let mut talks = world.welcomed(&replica, "ada").await;
    for _ in 0..61 {
        talks.0.send(Message::Ping(vec![1].into())).await.unwrap();
    }
    assert_eq!(talks.end().await, (4004, "misuse".to_owned()));
    replica.stop().await;
}
