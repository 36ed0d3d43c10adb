//! Who is let in, by which token, and for how long.

use futures::SinkExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    client::Connection,
    world::{Answer, World, client, get},
};

/// Seconds by which clocks may differ.
const LEEWAY: u64 = 30;

fn unsigned(token: &str) -> String {
    // {"alg":"none","typ":"JWT"}
    let payload = token.split('.').nth(1).unwrap();
    format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.")
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn a_token_that_lets_nobody_in_ends_the_connection_with_its_code() {
    let world = World::new().await;
    let replica = world.start().await;
    let claims = world.issuer.claims_for("ada");
    let now = claims["iat"].as_u64().unwrap();
    let good = world.issuer.token_for("ada");
    let cases = [
        (unsigned(&good), 4002, "token_refused"),
        (
            world.issuer.sign(&with(claims.clone(), "aud", "other".into())),
            4002,
            "token_refused",
        ),
        (
            world
                .issuer
                .sign(&with(claims.clone(), "iss", "https://other.example".into())),
            4002,
            "token_refused",
        ),
        (format!("{}x", &good[..good.len() - 5]), 4002, "token_refused"),
        (String::new(), 4002, "token_refused"),
        (
            world
                .issuer
                .sign(&with(claims.clone(), "exp", (now - LEEWAY - 1).into())),
            4003,
            "token_expired",
        ),
    ];
    for (token, code, reason) in cases {
        let mut connection = Connection::open(&replica).await;
        connection.hello(&token, None).await;
        assert_eq!(connection.end().await, (code, reason.to_owned()), "{token}");
        // The same among the subprotocols.
        if !token.is_empty() {
            let offered = format!("taskflow.live.v1, taskflow.token.{token}");
            let (mut connection, _) = Connection::open_with(&replica, &[("sec-websocket-protocol", &offered)])
                .await
                .unwrap();
            assert_eq!(connection.end().await, (code, reason.to_owned()), "{token}");
        }
    }
    assert!(replica.value_of(r#"auth_failures_total{reason="expired"}"#).await >= 2.0);
    assert!(replica.value_of(r#"auth_failures_total{reason="audience"}"#).await >= 2.0);
    replica
        .becomes(r#"websocket_dropped_clients_total{reason="unauthenticated"}"#, 9.0)
        .await;
    replica.stop().await;
}

#[tokio::test]
async fn a_token_among_the_subprotocols_needs_no_message() {
    let world = World::new().await;
    let replica = world.start().await;
    world.change("ada", [1, 2]).await;
    let mut witness = world.connect(&replica, "ada", None).await;
    world.change("ada", [3]).await;
    while witness.next().await["sequence"] != 3 {}
    let token = world.issuer.token_for("ada");
    let offered = format!("taskflow.live.v1, taskflow.token.{token}, taskflow.resume.1");
    let (mut connection, response) = Connection::open_with(&replica, &[("sec-websocket-protocol", &offered)])
        .await
        .unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "taskflow.live.v1");
    assert_eq!(connection.next().await["resumed"], true);
    assert_eq!(connection.changes(2).await, [2, 3]);
    // Never in the address.
    let answer = get(replica.public, &format!("/events?token={token}&access_token={token}")).await;
    assert_eq!(answer.problem(), (401, "token_missing".to_owned()));
    replica.stop().await;
}

#[tokio::test]
async fn who_says_nothing_or_nonsense_is_sent_away() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut silent = Connection::open(&replica).await;
    for nonsense in [
        json!([]),
        json!({"type": "hello"}),
        json!({"type": "token", "token": "x"}),
        json!(7),
    ] {
        let mut connection = Connection::open(&replica).await;
        connection.say(&nonsense).await;
        assert_eq!(connection.end().await, (4004, "misuse".to_owned()), "{nonsense}");
    }
    let mut binary = Connection::open(&replica).await;
    binary.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(binary.end().await.0, 4004);
    assert_eq!(silent.end().await, (4001, "token_missing".to_owned()));
    replica.stop().await;
}

#[tokio::test]
async fn a_connection_ends_with_its_token_unless_a_new_one_is_shown() {
    let world = World::new().await;
    let replica = world.start().await;
    let claims = world.issuer.claims_for("ada");
    let now = claims["iat"].as_u64().unwrap();
    let short = world.issuer.sign(&with(claims, "exp", (now - LEEWAY + 4).into()));
    let mut renewed = Connection::open(&replica).await;
    renewed.hello(&short, None).await;
    assert_eq!(renewed.next().await["type"], "welcome");
    let mut expired = Connection::open(&replica).await;
    expired.hello(&short, None).await;
    let mut other = Connection::open(&replica).await;
    other.hello(&short, None).await;
    let token = world.issuer.token_for("ada");
    renewed.say(&json!({"type": "token", "token": token})).await;
    assert_eq!(renewed.next().await["type"], "renewed");
    other
        .say(&json!({"type": "token", "token": world.issuer.token_for("bob")}))
        .await;
    assert_eq!(other.end().await, (4002, "token_refused".to_owned()));
    assert_eq!(expired.end().await, (4003, "token_expired".to_owned()));
    world.change("ada", [1]).await;
    assert_eq!(renewed.changes(1).await, [1]);
    assert_eq!(
        replica
            .value_of(r#"websocket_dropped_clients_total{reason="expired"}"#)
            .await,
        1.0
    );
    replica.stop().await;
}

#[tokio::test]
async fn pages_of_others_are_refused_and_plain_requests_too() {
    let world = World::new().await;
    let ours = "https://taskflow.example.org";
    let replica = world.start_with(&[("TASKFLOW_PUBLIC_URL", ours)]).await;
    assert!(Connection::open_with(&replica, &[("origin", ours)]).await.is_ok());
    assert!(Connection::open_with(&replica, &[]).await.is_ok());
    let Err(refused) = Connection::open_with(&replica, &[("origin", "https://evil.example.org")]).await else {
        panic!("it is let in");
    };
    assert!(refused.to_string().contains("403"), "{refused}");
    let plain = Answer::to(client().get(format!("http://{}/ws", replica.public))).await;
    assert_eq!(plain.problem(), (426, "upgrade_required".to_owned()));
    replica.stop().await;
}
