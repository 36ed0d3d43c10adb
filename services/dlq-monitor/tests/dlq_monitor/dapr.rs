//! The same over real sidecars: what comes in by them, and what goes back.

use std::net::Ipv4Addr;

use axum::{Router, http::StatusCode, routing::get};
use catalogue::{
    app_ids,
    environment_variables::{
        APP_API_TOKEN, DAPR_API_TOKEN, TASKFLOW_BUS, TASKFLOW_DAPR_HTTP_ENDPOINT, TASKFLOW_INTERNAL_PORT,
    },
    paths,
    services::{AUDIT, RECURRING_TASKS},
    topics::TASK_EVENTS_DLQ,
};
use serde_json::json;
use test_kit::{
    Resources, Sidecar, free_port,
    sidecar::{API_TOKEN, APP_TOKEN},
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    consumer::Consumer,
    events::task_event,
    world::{Replica, World},
};

/// The service behind a sidecar of its own.
async fn behind_a_sidecar(world: &World) -> (Replica, Sidecar) {
    let port = free_port();
    let sidecar = Sidecar::start(app_ids::DLQ_MONITOR, Some(port), &Resources::of_test(&world.topics));
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
    (replica, sidecar)
}

/// A service behind a sidecar that knows no delivery, healthy as it seems.
async fn without_routes(world: &World) -> (Sidecar, JoinHandle<()>) {
    let routes: Router = Router::new().route(paths::READY_EVENTS, get(async || StatusCode::OK));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let listening = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let resources = Resources::of_test(&world.topics);
    (
        Sidecar::start(RECURRING_TASKS.app_id, Some(port), &resources),
        listening,
    )
}

/// A letter that a sidecar has written is kept, is told where it lay, and goes back.
async fn a_letter_of_a_sidecar_comes_back(world: &World, replica: &Replica) {
    let (broken, listening) = without_routes(world).await;
    world.publish(&[task_event("ada", 7, 1), task_event("ada", 7, 2)]).await;
    world.letters("waiting", 2).await;
    drop(broken);
    listening.abort();
    let letters = world.get(replica, "/dead-letters?task_id=7").await;
    for (at, letter) in letters["items"].as_array().unwrap().iter().enumerate() {
        let path = format!("/dead-letters/{}", letter["id"].as_str().unwrap());
        let shown = world.get(replica, &path).await;
        assert_eq!(
            (&shown["reason"], &shown["consumer"]),
            (&json!("unknown"), &json!(null))
        );
        assert_eq!(
            (&shown["version"], &shown["origin_offset"]),
            (&json!(at + 1), &json!(at)),
            "{shown}"
        );
        assert_eq!(shown["key"], json!({"text": "7"}));
    }
    let mended = Consumer::start(world, &RECURRING_TASKS);
    let action = world.replays(replica, &json!({"selection": {"all": true}})).await;
    assert_eq!(action["outcomes"], json!({"replayed": 2}), "{action}");
    mended.has_applied(2).await;
    assert_eq!(mended.versions(7), [1, 2]);
    world.is_settled().await;
    mended.stop().await;
}

#[tokio::test]
async fn dapr_wrote_the_letter_and_brings_it() {
    let world = World::new().await;
    let (replica, _sidecar) = behind_a_sidecar(&world).await;
    a_letter_of_a_sidecar_comes_back(&world, &replica).await;
    replica.stop().await;
}

#[tokio::test]
async fn dapr_wrote_the_letter_and_it_is_read_directly() {
    let world = World::new().await;
    let replica = world.start().await;
    a_letter_of_a_sidecar_comes_back(&world, &replica).await;
    replica.stop().await;
}

#[tokio::test]
async fn dapr_carries_letters_in_and_events_back() {
    let world = World::new().await;
    let (replica, _sidecar) = behind_a_sidecar(&world).await;
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
