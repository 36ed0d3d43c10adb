//! The same over real sidecars: what comes in by them, and what goes back.

use catalogue::{
    app_ids,
    environment_variables::{
        APP_API_TOKEN, DAPR_API_TOKEN, TASKFLOW_BUS, TASKFLOW_DAPR_HTTP_ENDPOINT, TASKFLOW_INTERNAL_PORT,
    },
    services::AUDIT,
    topics::TASK_EVENTS_DLQ,
};
use serde_json::json;
use test_kit::{
    Resources, Sidecar, free_port,
    sidecar::{API_TOKEN, APP_TOKEN},
};

use crate::{consumer::Consumer, events::task_event, world::World};

#[tokio::test]
async fn dapr_carries_letters_in_and_events_back() {
    let world = World::new().await;
    let resources = Resources::of_test(&world.topics);
    let port = free_port();
    let sidecar = Sidecar::start(app_ids::DLQ_MONITOR, Some(port), &resources);
    let replica = world
        .start_with(&[
            (TASKFLOW_BUS.name, "dapr"),
            (TASKFLOW_INTERNAL_PORT.name, &port.to_string()),
            (TASKFLOW_DAPR_HTTP_ENDPOINT.name, &sidecar.endpoint()),
            (DAPR_API_TOKEN.name, API_TOKEN),
            (APP_API_TOKEN.name, APP_TOKEN),
        ])
        .await;
    replica.becomes_ready().await;
    sidecar.becomes_ready().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    let events: Vec<_> = (1..=3)
        .flat_map(|version| [7, 8].map(|task| task_event("ada", task, version)))
        .collect();
    world.publish(&events).await;
    world.put(TASK_EVENTS_DLQ, Some(b"9"), Some(b"\xff{"), &[]).await;
    world.put(TASK_EVENTS_DLQ, None, None, &[]).await;
    world.letters("waiting", 8).await;
    world.has_seen(8, 3).await;
    let letters = world.get(&replica, "/dead-letters?task_id=8").await;
    assert_eq!(letters["items"][0]["reason"], "rejected");
    assert_eq!(letters["items"][0]["consumer"], "audit");
    // What a sidecar has given up: its headers tell the first place, and nobody tells why.
    let sidecars: &[(&str, &[u8])] = &[("__topic", b"task-events"), ("__partition", b"1"), ("__offset", b"41")];
    world.put(TASK_EVENTS_DLQ, Some(b"10"), Some(b"{"), sidecars).await;
    world.letters("waiting", 9).await;
    let letters = world.get(&replica, "/dead-letters?task_id=10").await;
    let id = letters["items"][0]["id"].as_str().unwrap();
    let shown = world.get(&replica, &format!("/dead-letters/{id}")).await;
    assert_eq!(
        (&shown["origin_partition"], &shown["origin_offset"]),
        (&json!(1), &json!(41)),
        "{shown}"
    );
    assert_eq!(shown["reason"], "unknown");

    consumer.is_broken(false);
    let action = world
        .replays(&replica, &json!({"selection": {"reason": "rejected"}}))
        .await;
    assert_eq!(action["outcomes"], json!({"replayed": 6}), "{action}");
    consumer.has_applied(6).await;
    assert_eq!(
        (consumer.versions(7), consumer.versions(8)),
        (vec![1, 2, 3], vec![1, 2, 3])
    );
    world.letters("waiting", 3).await;
    consumer.stop().await;
    replica.stop().await;
}
