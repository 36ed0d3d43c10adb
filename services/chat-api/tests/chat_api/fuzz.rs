//! An independent judge tries what the document says, and what it does not say: once with the tokens of an issuer, once
//! with those of built-in accounts. Of each two people, neither may see anything of the other.

use serde_json::json;
use test_kit::{Fuzz, fuzz::Requests, keys};

use crate::app::{Answer, App};

const NAMES: [&str; 2] = ["ada", "bob"];

async fn with_accounts() -> (App, [(&'static str, String); 2]) {
    let app = App::start_with(&[
        ("TASKFLOW_BUILTIN_ACCOUNTS", "true"),
        ("TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY", &keys::ed25519().private),
    ])
    .await;
    let mut people = NAMES.map(|name| (name, String::new()));
    for (name, token) in &mut people {
        let credentials = json!({ "name": name, "password": "correct horse battery" });
        let request = app.client.post(format!("http://{}/accounts", app.public));
        let session = Answer::to(request.json(&credentials)).await.expect(201);
        session["token"]
            .as_str()
            .expect("a session has a token")
            .clone_into(token);
    }
    (app, people)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_document_allows_is_taken_and_answered_as_it_says() {
    let (app, people) = with_accounts().await;
    let fuzz = Fuzz {
        address: app.public,
        people,
        operations: &[],
        examples: 20,
    };
    fuzz.run(Requests::Valid).await;
    let doors = Fuzz {
        operations: &["--include-tag", "accounts"],
        ..fuzz
    };
    doors.run(Requests::Invalid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_document_does_not_allow_is_refused_as_it_says() {
    let app = App::start().await;
    let fuzz = Fuzz {
        address: app.public,
        people: NAMES.map(|name| (name, app.issuer.token_for(name))),
        operations: &["--exclude-tag", "accounts"],
        examples: 30,
    };
    fuzz.run(Requests::Invalid).await;
}
