//! What happens when the issuer changes its keys, or is away.

use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;
use service_kit::{auth::AuthFailure, config::TokenSettings};
use test_kit::{Issuer, wait_until};

use super::{Checking, DEADLINE, claims_but, discovered, forge};
use crate::app::value_of;

#[tokio::test]
async fn unknown_key_ids_make_the_keys_be_read_once() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let unknown = |number: usize| {
        let header = json!({"alg": "ES256", "kid": format!("unknown-{number}")});
        forge(&header, &issuer.claims_for("ada"), |_| vec![0; 64])
    };
    let tokens: Vec<String> = (0..50).map(unknown).collect();
    let refusals = join_all(tokens.iter().map(|token| checking.refusal(token))).await;
    assert!(refusals.iter().all(|refusal| *refusal == AuthFailure::Signature));
    assert_eq!(checking.refusal(&unknown(50)).await, AuthFailure::Signature);
    assert_eq!(
        issuer.requests_for_keys(),
        2,
        "once at the start, once for all of these"
    );
}

#[tokio::test]
async fn new_keys_are_accepted_at_once_and_withdrawn_ones_are_not() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let old = issuer.token_for("ada");
    assert_eq!(checking.user(&old).await, Ok("ada".to_owned()));

    issuer.rotate();
    assert_eq!(
        checking.user(&old).await,
        Ok("ada".to_owned()),
        "nobody has told of the new key yet"
    );
    let tokens: Vec<String> = (0..20).map(|number| issuer.token_for(&number.to_string())).collect();
    for (number, user) in join_all(tokens.iter().map(|token| checking.user(token)))
        .await
        .into_iter()
        .enumerate()
    {
        assert_eq!(user, Ok(number.to_string()));
    }
    assert_eq!(checking.refusal(&old).await, AuthFailure::Signature);
    assert_eq!(issuer.requests_for_keys(), 2);
}

#[tokio::test]
async fn while_the_issuer_is_away_known_keys_are_used_and_unknown_ones_refused() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let up = r#"dependency_up{dependency="token_issuer"}"#;
    assert_eq!(value_of(&checking.metrics, up), "1");
    let read_at: f64 = value_of(&checking.metrics, "token_keys_refreshed_timestamp_seconds")
        .parse()
        .unwrap();
    assert!((Timestamp::now().as_duration().as_secs_f64() - read_at).abs() < 60.0);

    let known = issuer.token_for("ada");
    issuer.rotate();
    issuer.set_away(true);
    assert_eq!(checking.refusal(&issuer.token_for("ada")).await, AuthFailure::Signature);
    assert_eq!(value_of(&checking.metrics, up), "0");
    assert_eq!(checking.user(&known).await, Ok("ada".to_owned()));
    assert!(
        checking.health.is_ready(),
        "with the old keys the service takes traffic"
    );

    issuer.set_away(false);
    wait_until("the new key is read", DEADLINE, async || {
        checking.user(&issuer.token_for("ada")).await.map(|_| ())
    })
    .await;
    assert_eq!(value_of(&checking.metrics, up), "1");
}

#[tokio::test]
async fn without_keys_nothing_is_said_about_tokens_until_the_issuer_comes() {
    let issuer = Issuer::start().await;
    issuer.set_away(true);
    let checking = Checking::start(discovered(&issuer), None);
    assert!(!checking.health.is_ready());
    let token = issuer.token_for("ada");
    assert_eq!(checking.refusal(&token).await, AuthFailure::KeysAway);
    assert_eq!(
        value_of(&checking.metrics, r#"dependency_up{dependency="token_issuer"}"#),
        "0"
    );

    issuer.set_away(false);
    checking.is_ready().await;
    assert_eq!(checking.user(&token).await, Ok("ada".to_owned()));
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_believed() {
    let issuer = Issuer::start().await;
    let settings = TokenSettings {
        issuer: Some(issuer.url() + "/"),
        ..discovered(&issuer)
    };
    let checking = Checking::start(settings, None);
    let token = issuer.sign(&claims_but(&issuer, "iss", json!(issuer.url() + "/")));
    assert_eq!(checking.refusal(&token).await, AuthFailure::KeysAway);
    assert_eq!(issuer.requests_for_keys(), 0);
}
