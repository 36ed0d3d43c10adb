//! An account with a few tasks, so that a newcomer sees something.

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// The account. Whoever is on this machine may know it.
pub(crate) const NAME: &str = "demo";
/// Its password.
pub(crate) const PASSWORD: &str = "demo-demo-demo";

/// What the account has.
pub(crate) struct Demo {
    /// Whether it was made just now.
    pub(crate) is_new: bool,
}

/// Makes the account where there is none, and tasks where it has none: what a person did the last time stays.
pub(crate) async fn make(port: u16) -> Result<Demo> {
    let client = test_kit::http::client();
    let address = format!("http://127.0.0.1:{port}");
    let (token, is_new) = sign_in(&client, &address).await?;
    let request = |request: RequestBuilder| request.bearer_auth(&token);
    let (status, list) = answer(request(client.get(format!("{address}/tasks?limit=1")))).await?;
    let has_tasks = list["items"].as_array().is_some_and(|items| !items.is_empty());
    if status != StatusCode::OK || has_tasks {
        return Ok(Demo { is_new });
    }
    for (key, task) in tasks() {
        // With a key, so that one who was killed in the middle goes on where it was.
        let made = request(client.post(format!("{address}/tasks")))
            .header("idempotency-key", key)
            .json(&task);
        let (status, answer) = answer(made).await?;
        if status != StatusCode::CREATED {
            bail!("could not make the demo task {task}: {status}: {answer}");
        }
    }
    Ok(Demo { is_new })
}

/// A token of the account, and whether it is new.
async fn sign_in(client: &Client, address: &str) -> Result<(String, bool)> {
    let credentials = json!({"name": NAME, "password": PASSWORD});
    let begin = client.post(format!("{address}/sessions")).json(&credentials);
    let (mut status, mut session) = answer(begin).await?;
    let is_new = status == StatusCode::UNAUTHORIZED;
    if is_new {
        let open = client.post(format!("{address}/accounts")).json(&credentials);
        (status, session) = answer(open).await?;
    }
    match session["token"].as_str() {
        Some(token) => Ok((token.to_owned(), is_new)),
        None => bail!("could not sign in as {NAME}: {status}: {session}; `--fresh` forgets all accounts"),
    }
}

/// Each with a key of its own.
fn tasks() -> [(&'static str, Value); 4] {
    [
        (
            "demo-plants",
            json!({
                "title": "Water the plants",
                "tags": ["home"],
                "due": {"kind": "zoned", "local": "2030-01-05T09:00:00", "zone": "Europe/Berlin"},
                "recurrence": {"rule": "FREQ=WEEKLY;BYDAY=SA"},
            }),
        ),
        (
            "demo-rent",
            json!({
                "title": "Pay the rent",
                "priority": "high",
                "tags": ["home", "money"],
                "due": {"kind": "zoned", "local": "2030-01-31T09:00:00", "zone": "America/New_York"},
                "recurrence": {"rule": "FREQ=MONTHLY"},
            }),
        ),
        (
            "demo-kill",
            json!({
                "title": "Kill a service and look what is lost",
                "description": "Nothing: the event waits in the outbox or in Kafka until somebody deals with it.",
                "tags": ["tour"],
            }),
        ),
        (
            "demo-read",
            json!({ "title": "Read ARCHITECTURE.md, the part where a task is completed", "tags": ["tour"] }),
        ),
    ]
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, Value)> {
    let answer = request.send().await.context("chat-api does not answer")?;
    let status = answer.status();
    let body = answer.text().await.context("chat-api does not answer to the end")?;
    Ok((status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
}
