//! Tokens that our own services sign.

use std::time::Duration;

use axum::{Router, routing::get};
use catalogue::{
    app_ids,
    services::{CREATE_OCCURRENCE, CREATE_OCCURRENCES_SCOPE, INTERNAL_AUDIENCE},
};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::json;
use service_kit::{
    auth::{
        AuthFailure, LocalIssuer, NewToken, PublicKey, ServiceCaller, ServiceTokenChecker, TokenSigner, services_only,
    },
    config::TokenSettings,
};
use test_kit::{Issuer, keys};

use super::{Checking, claims_but};
use crate::app::{Answer, App, metrics, value_of};

#[tokio::test]
async fn built_in_accounts_are_believed_by_their_key_here_and_by_their_key_set_elsewhere() {
    let pair = keys::ed25519();
    let signer = TokenSigner::from_ed25519_pem(&pair.private).unwrap();
    let key_set = signer.key_set();
    let serving = App::serve(Router::new().route("/keys", get(async move || axum::Json(key_set)))).await;
    let token = NewToken {
        issuer: &serving.url(""),
        subject: "ada",
        audience: "taskflow",
        scopes: &["a", "b"],
        lifetime: Duration::from_mins(1),
    };
    let token_of_ada = signer.sign(&token, Timestamp::now());
    let settings = |issuer: Option<String>| TokenSettings {
        issuer,
        audience: "taskflow".to_owned(),
        jwks_url: Some(serving.url("/keys")),
    };
    let local = LocalIssuer {
        name: serving.url(""),
        key: signer.public_key(),
    };
    let here = Checking::start(settings(None), Some(local));
    assert!(here.health.is_ready());
    let elsewhere = Checking::start(settings(Some(serving.url(""))), None);
    for checking in [&here, &elsewhere] {
        let user = checking.checker.check(&token_of_ada).await.unwrap();
        assert_eq!(user.id(), "ada");
        assert!(user.has_scope("a") && user.has_scope("b"));
        assert_eq!(
            value_of(&checking.metrics, r#"dependency_up{dependency="token_issuer"}"#),
            "1"
        );
    }
    let forged = TokenSigner::from_ed25519_pem(&keys::ed25519().private)
        .unwrap()
        .sign(&token, Timestamp::now());
    assert_eq!(here.refusal(&forged).await, AuthFailure::Signature);
    let expired = signer.sign(&token, "2020-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(here.refusal(&expired).await, AuthFailure::Expired);
}

#[tokio::test]
async fn a_service_is_known_by_its_token_and_a_person_is_no_service() {
    let pair = keys::ed25519();
    let signer = TokenSigner::from_ed25519_pem(&pair.private).unwrap();
    let metrics = metrics();
    let checker = ServiceTokenChecker::new(PublicKey::from_ed25519_pem(&pair.public).unwrap(), &metrics);
    let router = Router::new().route("/", get(async |caller: ServiceCaller| caller.app_id));
    let app = App::serve(services_only(router, &checker, CREATE_OCCURRENCE.access)).await;
    let with = |token: String| Answer::to(Client::new().get(app.url("/")).bearer_auth(token));

    let now = Timestamp::now();
    let token = signer.service_token(app_ids::RECURRING_TASKS, CREATE_OCCURRENCE.access, now);
    assert_eq!(with(token).await.text, app_ids::RECURRING_TASKS);

    let good = NewToken {
        issuer: app_ids::RECURRING_TASKS,
        subject: app_ids::RECURRING_TASKS,
        audience: INTERNAL_AUDIENCE,
        scopes: &[CREATE_OCCURRENCES_SCOPE],
        lifetime: Duration::from_mins(1),
    };
    let long_ago = "2020-01-01T00:00:00Z".parse().unwrap();
    let stranger = TokenSigner::from_ed25519_pem(&keys::ed25519().private).unwrap();
    let cases = [
        (signer.sign(&good, long_ago), 401, "token_expired"),
        (stranger.sign(&good, now), 401, "token_signature"),
        (
            signer.sign(
                &NewToken {
                    audience: "taskflow",
                    ..good
                },
                now,
            ),
            401,
            "token_audience",
        ),
        (
            signer.sign(
                &NewToken {
                    issuer: "stranger",
                    ..good
                },
                now,
            ),
            401,
            "token_issuer",
        ),
        (
            signer.sign(&NewToken { subject: "ada", ..good }, now),
            401,
            "token_malformed",
        ),
        (
            signer.sign(
                &NewToken {
                    scopes: &["other"],
                    ..good
                },
                now,
            ),
            403,
            "insufficient_scope",
        ),
    ];
    for (token, status, code) in cases {
        assert_eq!(with(token).await.problem(), (status, code.to_owned()));
    }
    assert_eq!(
        Answer::to(Client::new().get(app.url("/"))).await.problem(),
        (401, "token_missing".to_owned())
    );

    let issuer = Issuer::start().await;
    let person = issuer.sign(&claims_but(&issuer, "aud", json!(INTERNAL_AUDIENCE)));
    assert_eq!(with(person).await.problem(), (401, "token_issuer".to_owned()));
}
