//! The core as processes finds its own parts: chat-api, recurring-tasks and audit work together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use catalogue::{Service, services::CHAT_API, topics};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use test_kit::{
    Core, Database, Issuer, Resources, Sidecar, Topics, Wiring,
    core::{self, wiring::SERVICES},
    free_port,
    service::built,
    sidecar::{API_TOKEN, APP_TOKEN},
    wait_until,
};

const PATIENCE: Duration = Duration::from_secs(30);

async fn answer(request: RequestBuilder) -> Result<Value, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let text = answer.text().await.map_err(|error| error.to_string())?;
    if status.is_success() {
        return serde_json::from_str(&text).map_err(|error| error.to_string());
    }
    Err(format!("{status}: {text}"))
}

#[tokio::test]
async fn a_completed_recurring_task_comes_again_and_leaves_a_trail() {
    let (database, topics, issuer) = (
        Database::empty().await,
        core::topics_of_test().await,
        Issuer::start().await,
    );
    let programs = built("chat-api");
    let programs = programs.parent().expect("a program lies in a folder");
    let mut core = Core::start(Wiring::of_test(&database, &topics, &issuer), programs).await;

    walk(&mut core, &issuer, async |core| core.restart(&CHAT_API, &[]).await).await;
}

#[tokio::test]
async fn the_same_over_dapr() {
    let (database, topics, issuer) = (
        Database::empty().await,
        core::topics_of_test().await,
        Issuer::start().await,
    );
    let programs = built("chat-api");
    let programs = programs.parent().expect("a program lies in a folder");
    let mut core = Core::start(Wiring::of_test(&database, &topics, &issuer), programs).await;
    // Before anything has happened, each moves behind a sidecar of its own.
    let mut sidecars = Vec::new();
    for service in SERVICES {
        sidecars.push(move_behind_a_sidecar(&mut core, service, &topics).await);
    }
    core.becomes_ready().await;
    walk(&mut core, &issuer, async |_| {}).await;

    // What chat-api published and the others consumed went through the sidecars.
    let successes = ["process_status=\"success\"", "topic="];
    for (sidecar, service) in sidecars.iter().zip(SERVICES) {
        let delivered = sidecar.sum_of("dapr_component_pubsub_ingress_count", &successes).await;
        let published = sidecar
            .sum_of("dapr_component_pubsub_egress_bulk_event_count", &[])
            .await
            + sidecar
                .sum_of("dapr_component_pubsub_egress_bulk_count", &["success=\"true\""])
                .await;
        if service.app_id == CHAT_API.app_id {
            assert!(published > 0.0, "chat-api has published {published}");
        } else {
            assert!(delivered >= 2.0, "{} was given {delivered}", service.app_id);
        }
    }
}

/// Starts a service anew, over Dapr.
async fn move_behind_a_sidecar(core: &mut Core, service: &'static Service, topics: &Topics) -> Sidecar {
    let app_port = if service.app_id == CHAT_API.app_id {
        core.wiring.chat_api.internal // the others know it
    } else {
        free_port()
    };
    // The group must have forgotten who was in it over the other transport.
    core.replica(service).process.terminate();
    core.replica(service).process.exit(PATIENCE).await;
    let sidecar = Sidecar::start(service.app_id, Some(app_port), &Resources::of_test(topics));
    let partitions = topics::ALL.iter().find(|it| it.name == topics::TASK_EVENTS);
    let partitions = partitions.expect("it is a topic").default_partitions.to_string();
    let variables = [
        ("TASKFLOW_BUS", "dapr"),
        ("TASKFLOW_DAPR_HTTP_ENDPOINT", &sidecar.endpoint()),
        ("DAPR_API_TOKEN", API_TOKEN),
        ("APP_API_TOKEN", APP_TOKEN),
        ("TASKFLOW_INTERNAL_PORT", &app_port.to_string()),
    ];
    let mut variables = variables.to_vec();
    if !service.publishes.is_empty() {
        variables.push(("TASKFLOW_TASK_EVENTS_PARTITIONS", &partitions));
    }
    core.restart(service, &variables).await;
    sidecar
}

/// A recurring task is completed, comes again, and both are on record.
async fn walk(core: &mut Core, issuer: &Issuer, in_between: impl AsyncFnOnce(&mut Core)) {
    let client = Client::new();
    let token = issuer.token_for("ada");
    let request = |method: Method, url: String| client.request(method, url).bearer_auth(&token);
    let chat_api = format!("http://{}", core.chat_api.public);
    let task = json!({
        "title": "Water the plants",
        "due": {"kind": "zoned", "local": "2030-01-07T09:00:00", "zone": "Europe/Berlin"},
        "recurrence": {"rule": "FREQ=WEEKLY"},
    });
    let task = answer(request(Method::POST, format!("{chat_api}/tasks")).json(&task))
        .await
        .unwrap();
    // The others know chat-api by its address, which stays.
    in_between(core).await;
    core.becomes_ready().await;
    answer(request(
        Method::POST,
        format!("{chat_api}/tasks/{}/complete", task["id"]),
    ))
    .await
    .unwrap();
    wait_until("there are two tasks", PATIENCE, async || {
        match answer(request(Method::GET, format!("{chat_api}/tasks"))).await {
            Ok(list) if list["items"].as_array().is_some_and(|it| it.len() == 2) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let audit = format!("http://{}/tasks/{}/audit", core.audit.public, task["id"]);
    wait_until("both changes are on record", PATIENCE, async || {
        match answer(request(Method::GET, audit.clone())).await {
            Ok(trail) if trail["entries"].as_array().is_some_and(|it| it.len() == 2) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}
