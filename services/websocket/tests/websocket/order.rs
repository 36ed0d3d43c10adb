//! What a client hears, in which order, and after which interruption.

use std::time::{Duration, Instant};

use crate::{events::Change, world::World};

const GAPS: &str = r#"websocket_refetches_total{reason="gap"}"#;
const TOO_OLD: &str = r#"websocket_refetches_total{reason="too_old"}"#;

#[tokio::test]
async fn every_client_of_a_person_hears_every_change_in_order_and_nobody_else() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut clients = [
        world.welcomed(&replica, "ada").await,
        world.welcomed(&replica, "ada").await,
    ];
    let mut other = world.welcomed(&replica, "bob").await;
    world.change("ada", 1..=20).await;
    world.remind("ada", 7).await;
    world.change("bob", [1]).await;
    for client in &mut clients {
        let first = client.next().await;
        assert_eq!(first["change"], "created");
        assert_eq!(first["task"]["title"], "Water the plants");
        assert_eq!((&first["task_id"], &first["version"]), (&1.into(), &1.into()));
        let mut others = Vec::new();
        for _ in 2..=21 {
            others.push(client.next().await);
        }
        let reminders = others.iter().filter(|it| it["type"] == "reminder");
        assert_eq!(reminders.map(|it| &it["task_id"]).collect::<Vec<_>>(), [7]);
        let positions = others.iter().filter_map(|it| it["sequence"].as_i64());
        assert_eq!(positions.collect::<Vec<_>>(), (2..=20).collect::<Vec<_>>());
    }
    let only = other.next().await;
    assert_eq!(
        (&only["sequence"], &only["task"]["user_id"]),
        (&1.into(), &"bob".into())
    );
    replica.stop().await;
}

#[tokio::test]
async fn changes_that_overtook_each_other_are_put_in_order() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut ada = world.welcomed(&replica, "ada").await;
    world.change("ada", [1, 4, 3, 2]).await;
    assert_eq!(ada.changes(4).await, [1, 2, 3, 4]);
    assert_eq!(replica.value_of(GAPS).await, 0.0);
    replica.stop().await;
}

#[tokio::test]
async fn a_change_that_does_not_come_makes_clients_load_everything() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut ada = world.welcomed(&replica, "ada").await;
    world.change("ada", [1]).await;
    assert_eq!(ada.changes(1).await, [1]);
    let begun = Instant::now();
    world.change("ada", [3, 4]).await;
    let refetch = ada.next().await;
    assert_eq!(
        (&refetch["type"], &refetch["reason"]),
        (&"refetch".into(), &"gap".into())
    );
    assert_eq!(refetch["sequence"], 2);
    assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
    assert_eq!(ada.changes(2).await, [3, 4]);
    assert_eq!(replica.value_of(GAPS).await, 1.0);
    // Nobody can be told what came between: 2 is missing.
    let mut back = world.connect(&replica, "ada", Some(1)).await;
    assert_eq!(back.next().await["resumed"], false);
    assert_eq!(back.next().await["reason"], "too_old");
    replica.stop().await;
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut ada = world.welcomed(&replica, "ada").await;
    world.change("ada", 1..=3).await;
    assert_eq!(ada.changes(3).await, [1, 2, 3]);
    drop(ada);
    world.change("ada", 4..=6).await;
    world.remind("ada", 4).await;
    let mut witness = world.connect(&replica, "ada", Some(3)).await;
    assert_eq!(witness.next().await["type"], "welcome");
    while witness.next().await["type"] != "reminder" {}

    let mut back = world.connect(&replica, "ada", Some(3)).await;
    let welcome = back.next().await;
    assert_eq!((&welcome["resumed"], &welcome["sequence"]), (&true.into(), &6.into()));
    assert_eq!(back.changes(3).await, [4, 5, 6]);
    assert_eq!(back.next().await["type"], "reminder");
    world.change("ada", [7]).await;
    assert_eq!(back.changes(1).await, [7]);
    assert_eq!(replica.value_of(TOO_OLD).await, 0.0);
    replica.stop().await;
}

#[tokio::test]
async fn a_replica_that_does_not_know_says_so() {
    let world = World::new().await;
    let replica = world.start().await;
    world.change("ada", 1..=300).await;
    let mut witness = world.connect(&replica, "ada", None).await;
    world.change("ada", [301]).await;
    while witness.next().await["sequence"] != 301 {}
    for (user, position, known) in [("ada", 10, true), ("ada", 900, true), ("bob", 5, false)] {
        let mut back = world.connect(&replica, user, Some(position)).await;
        let welcome = back.next().await;
        assert_eq!(welcome["resumed"], false, "{user} {position}");
        let refetch = back.next().await;
        assert_eq!(
            (&refetch["type"], &refetch["reason"]),
            (&"refetch".into(), &"too_old".into())
        );
        assert_eq!(refetch["sequence"] == 301, known, "{refetch}");
    }
    assert_eq!(replica.value_of(TOO_OLD).await, 3.0);
    replica.stop().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_passed_over_and_noticed() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut ada = world.welcomed(&replica, "ada").await;
    world.change("ada", [1]).await;
    let mut poison = Change::nth("ada", 2).event();
    poison.value = "not an event".into();
    world.publish(&[poison]).await;
    world.change("ada", [3]).await;
    assert_eq!(ada.changes(1).await, [1]);
    assert_eq!(ada.next().await["reason"], "gap");
    assert_eq!(ada.changes(1).await, [3]);
    let given_up = r#"events_handled_total{outcome="dead_letter",topic="task-events"}"#;
    assert_eq!(replica.value_of(given_up).await, 1.0);
    replica.stop().await;
}

#[tokio::test]
async fn a_long_description_is_left_out() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut ada = world.welcomed(&replica, "ada").await;
    let long = "long ".repeat(20_000);
    let change = Change {
        description: &long,
        ..Change::nth("ada", 1)
    };
    world.publish(&[change.event()]).await;
    let heard = ada.next().await;
    assert_eq!(
        (&heard["description_omitted"], &heard["task"]["description"]),
        (&true.into(), &"".into())
    );
    replica.stop().await;
}
