//! What a replay does not do, and says.

use catalogue::services::{AUDIT, NOTIFICATION};
use reqwest::Method;
use serde_json::json;

use crate::{consumer::Consumer, events::task_event, world::World};

fn all() -> serde_json::Value {
    json!({"selection": {"all": true}})
}

#[tokio::test]
async fn an_event_that_a_newer_version_has_overtaken_is_settled_and_said_so() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &NOTIFICATION);
    consumer.rejects(&[(7, 2)]);
    let events: Vec<_> = (1..=3).map(|version| task_event("ada", 7, version)).collect();
    world.publish(&events).await;
    consumer.has_applied(2).await;
    world.letters("waiting", 1).await;
    world.has_seen(7, 3).await;

    consumer.rejects(&[]);
    let action = world.replays(&replica, &all()).await;
    assert_eq!(action["outcomes"], json!({"superseded": 1}), "{action}");
    assert_eq!(action["items"][0]["detail"], "version 3 of the task was applied");
    assert_eq!(consumer.versions(7), [1, 3]);
    world.is_settled().await;
    replica
        .becomes(
            r#"dlq_resolved_total{resolution="superseded",topic="task-events"}"#,
            1.0,
        )
        .await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn the_record_of_all_events_gets_an_old_one_too() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.rejects(&[(7, 2)]);
    let events: Vec<_> = (1..=3).map(|version| task_event("ada", 7, version)).collect();
    world.publish(&events).await;
    consumer.has_applied(2).await;
    world.letters("waiting", 1).await;
    world.has_seen(7, 3).await;

    consumer.rejects(&[]);
    let action = world.replays(&replica, &all()).await;
    assert_eq!(action["outcomes"], json!({"replayed": 1}), "{action}");
    consumer.has_applied(3).await;
    assert_eq!(consumer.versions(7), [1, 3, 2]);
    world.is_settled().await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn a_newer_version_that_was_given_up_too_overtakes_nothing() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &NOTIFICATION);
    consumer.rejects(&[(7, 2), (7, 3)]);
    let events: Vec<_> = (1..=3).map(|version| task_event("ada", 7, version)).collect();
    world.publish(&events).await;
    world.letters("waiting", 2).await;
    world.has_seen(7, 3).await;

    consumer.rejects(&[]);
    let action = world.replays(&replica, &all()).await;
    assert_eq!(action["outcomes"], json!({"replayed": 2}), "{action}");
    consumer.has_applied(3).await;
    assert_eq!(consumer.versions(7), [1, 2, 3]);
    world.is_settled().await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn a_letter_behind_another_of_its_key_waits_for_it() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    world.publish(&[task_event("ada", 7, 1), task_event("ada", 7, 2)]).await;
    world.letters("waiting", 2).await;
    let letters = world.get(&replica, "/dead-letters").await;
    let ids: Vec<_> = (0..2).map(|at| letters["items"][at]["id"].clone()).collect();
    consumer.is_broken(false);

    let second = json!({"selection": {"ids": [ids[1]]}});
    let action = world.replays(&replica, &second).await;
    assert_eq!(action["outcomes"], json!({"behind": 1}), "{action}");
    let detail = action["items"][0]["detail"].as_str().unwrap();
    assert!(detail.contains(ids[0].as_str().unwrap()), "{detail}");

    let reason = json!({"selection": {"ids": [ids[0]]}, "reason": "made by hand"});
    let answer = world
        .asks(&replica, Method::POST, "/dead-letters/discard", Some(&reason))
        .await;
    assert_eq!(answer.json()["outcomes"], json!({"discarded": 1}), "{answer:?}");
    let action = world.replays(&replica, &second).await;
    assert_eq!(action["outcomes"], json!({"replayed": 1}), "{action}");
    consumer.has_applied(1).await;
    assert_eq!(consumer.versions(7), [2]);
    let again = world.replays(&replica, &second).await;
    assert_eq!((&again["selected"], &again["state"]), (&json!(0), &json!("done")));
    world.is_settled().await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn what_comes_back_is_held_until_somebody_insists() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    world.publish(&[task_event("ada", 7, 1), task_event("ada", 8, 1)]).await;
    world.letters("waiting", 2).await;
    world.replays(&replica, &all()).await;
    world.letters("replayed", 2).await;
    world.letters("waiting", 2).await;

    consumer.is_broken(false);
    let action = world.replays(&replica, &all()).await;
    assert_eq!(action["outcomes"], json!({"loop": 2}), "{action}");
    replica
        .becomes(r#"dlq_replay_failures_total{reason="loop",topic="task-events"}"#, 2.0)
        .await;
    assert_eq!(consumer.applied(), []);
    let insisted = json!({"selection": {"all": true}, "again": true});
    let action = world.replays(&replica, &insisted).await;
    assert_eq!(action["outcomes"], json!({"replayed": 2}), "{action}");
    consumer.has_applied(2).await;
    assert_eq!((consumer.versions(7), consumer.versions(8)), (vec![1], vec![1]));
    world.is_settled().await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn a_replay_can_be_stopped_and_the_rest_waits() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    let events: Vec<_> = (1..=30).map(|task| task_event("ada", task, 1)).collect();
    world.publish(&events).await;
    world.letters("waiting", 30).await;
    consumer.is_broken(false);
    let slowly = json!({"selection": {"all": true}, "rate_per_second": 1});
    let begun = world
        .asks(&replica, Method::POST, "/dead-letters/replay", Some(&slowly))
        .await
        .json();
    consumer.applies_something().await;
    let (code, printed) = world.types(&["stop", begun["id"].as_str().unwrap()]).await;
    assert!(code == 0 && printed.contains("stopped by cli:grace"), "{printed}");
    let place = format!("/dead-letters/actions/{}", begun["id"].as_str().unwrap());
    let went = world.get(&replica, &place).await["outcomes"]["replayed"]
        .as_i64()
        .unwrap();
    world.letters("waiting", 30 - went).await;
    let again = world.asks(&replica, Method::POST, &format!("{place}/stop"), None).await;
    assert_eq!(again.problem(), (409, "conflict".to_owned()));

    let action = world
        .replays(&replica, &json!({"selection": {"all": true}, "rate_per_second": 500}))
        .await;
    assert_eq!(action["outcomes"], json!({"replayed": 30 - went}), "{action}");
    consumer.has_applied(30).await;
    world.is_settled().await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn a_replay_whose_letters_come_back_is_stopped() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    let events: Vec<_> = (1..=60).map(|task| task_event("ada", task, 1)).collect();
    world.publish(&events).await;
    world.letters("waiting", 60).await;

    let action = world
        .replays(&replica, &json!({"selection": {"all": true}, "rate_per_second": 10}))
        .await;
    assert_eq!(action["state"], "stopped", "{action}");
    assert!(action["detail"].as_str().unwrap().contains("came back"), "{action}");
    assert!(action["outcomes"]["replayed"].as_i64().unwrap() < 60, "{action}");
    replica
        .becomes(r#"dlq_replay_failures_total{reason="spike",topic="task-events"}"#, 1.0)
        .await;
    // None is lost: what went came back, the rest has stayed.
    world.letters("waiting", 60).await;
    consumer.stop().await;
    replica.stop().await;
}
