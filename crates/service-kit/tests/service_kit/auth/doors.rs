//! Routes behind a door.

use axum::{Router, routing::get};
use catalogue::services::READ_DEAD_LETTERS_SCOPE;
use futures::future::join_all;
use reqwest::Client;
use serde_json::json;
use service_kit::{
    auth::{User, operators_only, users_only},
    limits::UserRate,
};
use test_kit::Issuer;

use super::{Checking, claims_but};
use crate::app::{Answer, App, value_of};

#[tokio::test]
async fn doors_tell_how_to_get_in_and_count_who_does_not() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let rate = UserRate::new(1000, &checking.metrics);
    let people = Router::new().route("/me", get(async |user: User| user.id().to_owned()));
    let operators = Router::new().route("/dead-letters", get(async || "some"));
    let router = users_only(people, &checking.checker, &rate)
        .merge(operators_only(
            operators,
            &checking.checker,
            &rate,
            READ_DEAD_LETTERS_SCOPE,
        ))
        .route("/open", get(async || "open"));
    let app = App::serve(router).await;
    let get = |path: &str, authorization: &str| {
        let request = Client::new().get(app.url(path));
        Answer::to(if authorization.is_empty() {
            request
        } else {
            request.header("authorization", authorization)
        })
    };
    let bearer = |token: String| format!("Bearer {token}");
    let ada = bearer(issuer.token_for("ada"));

    assert_eq!(get("/me", &ada).await.text, "ada");
    assert_eq!(get("/me", &ada.replace("Bearer", "bearer")).await.text, "ada");
    assert_eq!(get("/open", "").await.text, "open");
    assert_eq!(get("/nowhere", "").await.status, 404);

    let missing = get("/me", "").await;
    assert_eq!(missing.problem(), (401, "token_missing".to_owned()));
    assert_eq!(missing.header("www-authenticate"), r#"Bearer realm="taskflow""#);
    assert_eq!(
        get("/me", "Basic YTpi").await.problem(),
        (401, "token_missing".to_owned())
    );
    let malformed = get("/me", "Bearer x").await;
    assert_eq!(malformed.problem(), (401, "token_malformed".to_owned()));
    assert!(
        malformed
            .header("www-authenticate")
            .contains(r#"error="invalid_token""#)
    );

    let no_scope = get("/dead-letters", &ada).await;
    assert_eq!(no_scope.problem(), (403, "insufficient_scope".to_owned()));
    assert!(
        no_scope
            .header("www-authenticate")
            .contains(&format!("scope=\"{READ_DEAD_LETTERS_SCOPE}\""))
    );
    let operator = issuer.sign(&claims_but(&issuer, "scope", json!(READ_DEAD_LETTERS_SCOPE)));
    assert_eq!(get("/dead-letters", &bearer(operator)).await.text, "some");

    for (reason, count) in [("missing", "2"), ("malformed", "1"), ("scope", "1"), ("signature", "0")] {
        let series = format!("auth_failures_total{{reason=\"{reason}\"}}");
        assert_eq!(value_of(&checking.metrics, &series), count, "{reason}");
    }
}

#[tokio::test]
async fn a_user_who_sends_too_much_waits_and_others_do_not() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let rate = UserRate::new(1, &checking.metrics);
    let router = Router::new().route("/", get(async || "done"));
    let app = App::serve(users_only(router, &checking.checker, &rate)).await;
    let (ada, bob) = (issuer.token_for("ada"), issuer.token_for("bob"));
    let get = |token: &str| Answer::to(Client::new().get(app.url("/")).bearer_auth(token));

    let answers = join_all((0..10).map(|_| get(&ada))).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(!refused.is_empty());
    for answer in &refused {
        assert_eq!(answer.problem(), (429, "rate_limited".to_owned()));
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_eq!(get(&bob).await.text, "done");
    let counted = value_of(&checking.metrics, r#"http_requests_shed_total{reason="rate"}"#);
    assert_eq!(counted, refused.len().to_string());
}
