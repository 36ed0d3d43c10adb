//! Built-in accounts: for one machine, off unless somebody turns them on.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use test_kit::keys;

use crate::app::{Answer, App};

async fn start() -> App {
    App::start_with(&[
        ("TASKFLOW_BUILTIN_ACCOUNTS", "true"),
        ("TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY", &keys::ed25519().private),
    ])
    .await
}

async fn post(app: &App, path: &str, body: &Value) -> Answer {
    Answer::to(app.client.post(format!("http://{}{path}", app.public)).json(body)).await
}

async fn tasks_with(app: &App, token: &Value) -> Answer {
    let token = token["token"].as_str().expect("a session has a token");
    let request = app.client.request(Method::POST, format!("http://{}/tasks", app.public));
    Answer::to(request.bearer_auth(token).json(&json!({ "title": "Mine" }))).await
}

#[tokio::test]
async fn an_account_opens_the_door_to_its_own_tasks() {
    let app = start().await;
    let credentials = json!({ "name": "Anna", "password": "correct horse battery" });
    let opened = post(&app, "/accounts", &credentials).await.expect(201);
    let task = tasks_with(&app, &opened).await.expect(201);
    assert_eq!(task["user_id"], opened["user_id"]);

    let again = post(
        &app,
        "/accounts",
        &json!({ "name": "anna", "password": "another password" }),
    )
    .await;
    assert_eq!(again.problem(), (409, "conflict".to_owned()));
    let session = post(&app, "/sessions", &credentials).await.expect(200);
    assert_eq!(session["user_id"], opened["user_id"]);
    tasks_with(&app, &session).await.expect(201);

    // Whoever else checks tokens finds the key here.
    let keys = Answer::to(app.client.get(format!("http://{}/.well-known/jwks.json", app.public)))
        .await
        .expect(200);
    assert_eq!(keys["keys"][0]["alg"], "EdDSA");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_alike() {
    let app = start().await;
    post(
        &app,
        "/accounts",
        &json!({ "name": "anna", "password": "correct horse battery" }),
    )
    .await
    .expect(201);
    for (name, password) in [("anna", "wrong horse battery"), ("nobody", "correct horse battery")] {
        let refused = post(&app, "/sessions", &json!({ "name": name, "password": password })).await;
        assert_eq!(refused.problem(), (401, "invalid_credentials".to_owned()));
    }
    for (body, pointer) in [
        (
            json!({ "name": "anna smith", "password": "correct horse battery" }),
            "/name",
        ),
        (json!({ "name": "", "password": "correct horse battery" }), "/name"),
        (json!({ "name": "ben", "password": "short" }), "/password"),
        (json!({ "name": "ben", "password": "x".repeat(201) }), "/password"),
        (json!({ "name": "ben" }), "/password"),
        (
            json!({ "name": "ben", "password": "correct horse battery", "admin": true }),
            "/admin",
        ),
    ] {
        let refused = post(&app, "/accounts", &body).await;
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test]
async fn whoever_tries_passwords_is_slowed_down() {
    let app = start().await;
    let guess = json!({ "name": "anna", "password": "a guess at a password" });
    // At once: hashing takes so long that guesses one after another are slow already.
    let guesses = join_all((0..20).map(|_| post(&app, "/sessions", &guess))).await;
    let refused = guesses.iter().filter(|answer| match answer.problem() {
        (429, code) if code == "rate_limited" => true,
        (401, code) if code == "invalid_credentials" => false,
        other => panic!("{other:?}"),
    });
    let refused = refused.count();
    assert!(refused > 0, "twenty guesses at once were all answered");
}

#[tokio::test]
async fn there_are_none_unless_somebody_wants_them() {
    let app = App::start().await;
    for path in ["/accounts", "/sessions"] {
        let refused = post(
            &app,
            path,
            &json!({ "name": "anna", "password": "correct horse battery" }),
        )
        .await;
        assert_eq!(refused.problem(), (404, "route_not_found".to_owned()));
    }
}
