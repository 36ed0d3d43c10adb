//! The core as processes finds its own parts: chat-api, recurring-tasks and audit work together.

use std::time::Duration;

use catalogue::services::CHAT_API;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use test_kit::{Core, Database, Issuer, Wiring, core, service::built, wait_until};

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
    core.restart(&CHAT_API, &[]).await;
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
