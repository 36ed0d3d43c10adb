//! Which tokens are believed.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use catalogue::services::INTERNAL_AUDIENCE;
use jiff::Timestamp;
use ring::hmac;
use serde_json::{Value, json};
use service_kit::{
    auth::{AuthFailure, TokenSigner},
    config::TokenSettings,
};
use test_kit::{Issuer, keys};

use super::{Checking, claims_but, discovered, forge, published};
use crate::app::value_of;

#[tokio::test]
async fn a_token_of_the_issuer_names_its_user() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    assert_eq!(checking.user(&issuer.token_for("ada")).await, Ok("ada".to_owned()));
    let scoped = issuer.sign(&claims_but(&issuer, "scope", json!("a b")));
    let user = checking.checker.check(&scoped).await.unwrap();
    assert!(user.has_scope("a") && user.has_scope("b") && !user.has_scope("c"));

    let direct = TokenSettings {
        jwks_url: Some(issuer.jwks_url()),
        ..discovered(&issuer)
    };
    let checking = Checking::start(direct, None);
    assert_eq!(
        checking.user(&issuer.token_for("bob")).await,
        Ok("bob".to_owned()),
        "waits for the first keys"
    );
}

#[tokio::test]
async fn tokens_without_a_signature_of_the_issuer_are_refused() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let claims = issuer.claims_for("ada");
    let key = published(&issuer).await;
    let kid = &key["kid"];

    for none in ["none", "None", "NONE", ""] {
        let unsigned = forge(&json!({"alg": none, "typ": "JWT", "kid": kid}), &claims, |_| Vec::new());
        assert!(
            matches!(checking.refusal(&unsigned).await, AuthFailure::Malformed(_)),
            "{none}"
        );
        let signature = issuer.sign(&claims).rsplit('.').next().unwrap().to_owned();
        let borrowed = unsigned + &signature;
        assert!(
            matches!(checking.refusal(&borrowed).await, AuthFailure::Malformed(_)),
            "{none}"
        );
    }

    // A public key taken for a shared secret, in each form in which it is published.
    let [x, y] = ["x", "y"].map(|name| key[name].as_str().unwrap().to_owned());
    let point = [vec![4], decode(&x), decode(&y)].concat();
    for secret in [x.as_bytes(), key.to_string().as_bytes(), point.as_slice()] {
        let by_secret = |message: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message)
                .as_ref()
                .to_vec()
        };
        let confused = forge(&json!({"alg": "HS256", "kid": kid}), &claims, by_secret);
        assert!(matches!(checking.refusal(&confused).await, AuthFailure::Malformed(_)));
        let disguised = forge(&json!({"alg": "ES256", "kid": kid}), &claims, by_secret);
        assert_eq!(checking.refusal(&disguised).await, AuthFailure::Signature);
    }

    // Somebody else's key under the issuer's name, and the issuer's signature under other claims.
    let other = Issuer::start().await;
    assert_eq!(checking.refusal(&other.sign(&claims)).await, AuthFailure::Signature);
    let token = issuer.sign(&claims);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let altered = BASE64_URL_SAFE_NO_PAD.encode(claims_but(&issuer, "sub", json!("root")).to_string());
    let header = message.split('.').next().unwrap();
    assert_eq!(
        checking.refusal(&format!("{header}.{altered}.{signature}")).await,
        AuthFailure::Signature
    );
    assert_eq!(checking.refusal(&format!("{message}.")).await, AuthFailure::Signature);

    // A key that the token brings along.
    let pair = keys::ed25519();
    let mine = TokenSigner::from_ed25519_pem(&pair.private).unwrap();
    let own = forge(
        &json!({"alg": "EdDSA", "jwk": mine.key_set()["keys"][0], "jku": "http://127.0.0.1:1/keys"}),
        &claims,
        |_| vec![0; 64],
    );
    assert_eq!(checking.refusal(&own).await, AuthFailure::Signature);
    assert_eq!(
        value_of(&checking.metrics, r#"auth_failures_total{reason="signature"}"#),
        "7"
    );
}

fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
}

#[tokio::test]
async fn claims_that_do_not_hold_are_refused() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let now = Timestamp::now().as_second();
    for (name, value, failure) in [
        ("exp", json!(now - 60), AuthFailure::Expired),
        ("nbf", json!(now + 60), AuthFailure::Expired),
        ("aud", json!("other"), AuthFailure::Audience),
        ("aud", json!(INTERNAL_AUDIENCE), AuthFailure::Audience),
        ("iss", json!("https://evil.example.org"), AuthFailure::Issuer),
        ("iss", json!(issuer.url() + "/"), AuthFailure::Issuer),
    ] {
        let token = issuer.sign(&claims_but(&issuer, name, value.clone()));
        assert_eq!(checking.refusal(&token).await, failure, "{name}: {value}");
    }
    for (name, value) in [
        ("sub", json!("")),
        ("sub", json!("a".repeat(256))),
        ("sub", json!("a\0b")),
        ("sub", json!(7)),
        ("sub", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("aud", Value::Null),
        ("iss", Value::Null),
        ("iss", json!([issuer.url()])),
    ] {
        let token = issuer.sign(&claims_but(&issuer, name, value.clone()));
        assert!(
            matches!(checking.refusal(&token).await, AuthFailure::Malformed(_)),
            "{name}: {value}"
        );
    }
    assert_eq!(
        value_of(&checking.metrics, r#"auth_failures_total{reason="expired"}"#),
        "2"
    );
    assert_eq!(
        value_of(&checking.metrics, r#"auth_failures_total{reason="malformed"}"#),
        "10"
    );
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    let token = issuer.token_for("ada");
    let long = "a".repeat(10_000);
    let shapes = [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "é.é.é",
        &long,
        &format!("{token}.x"),
        &format!("{token}="),
    ];
    for text in shapes {
        assert!(
            matches!(checking.refusal(text).await, AuthFailure::Malformed(_)),
            "{text}"
        );
    }
    let header = json!({"alg": "ES256", "crit": ["exp"], "exp": 1});
    let critical = forge(&header, &issuer.claims_for("ada"), |_| vec![0; 64]);
    assert!(matches!(checking.refusal(&critical).await, AuthFailure::Malformed(_)));
}

#[tokio::test]
async fn a_token_without_a_key_id_is_checked_with_the_only_key() {
    let issuer = Issuer::start().await;
    let checking = Checking::of(&issuer).await;
    // What the issuer signs names its key; without the name nothing else changes but the signature.
    let unnamed = forge(&json!({"alg": "ES256"}), &issuer.claims_for("ada"), |_| vec![0; 64]);
    assert_eq!(checking.refusal(&unnamed).await, AuthFailure::Signature);
    assert_eq!(
        issuer.requests_for_keys(),
        1,
        "the keys are known: nothing is read again"
    );
}
