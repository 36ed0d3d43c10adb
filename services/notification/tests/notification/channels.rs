//! Adding, changing, trying and deleting channels.

use catalogue::environment_variables::TASKFLOW_WEBHOOK_ALLOW_PRIVATE;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    events::Task,
    receiver::{Receiver, Reply},
    world::World,
};

#[tokio::test]
async fn a_channel_lives_from_its_first_test_to_its_deletion() {
    let world = World::new().await;
    let replica = world.start().await;
    let receiver = Receiver::start().await;
    let added = world
        .channel(&replica, "ada", json!({"kind": "webhook", "url": receiver.url()}))
        .await;
    let path = format!("/channels/{}", added["id"].as_str().unwrap());
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"));

    let tried = world
        .send(&replica, "ada", Method::POST, &format!("{path}/test"), &Value::Null)
        .await;
    assert_eq!(tried.json()["outcome"], "accepted", "{tried:?}");
    assert_eq!(receiver.calls()[0].json()["type"], "channel.test");
    receiver.replies(&[Reply::Status(500)]);
    let tried = world
        .send(&replica, "ada", Method::POST, &format!("{path}/test"), &Value::Null)
        .await;
    assert_eq!(tried.json(), json!({"outcome": "retry", "detail": "answered 500"}));

    let choices = json!({"name": "mine", "enabled": false, "quiet": {"from": "22:00", "until": "07:00"}});
    let changed = world.send(&replica, "ada", Method::PUT, &path, &choices).await.json();
    assert_eq!((&changed["name"], &changed["enabled"]), (&json!("mine"), &json!(false)));
    assert_eq!(changed["secret"], Value::Null, "it is shown once");
    let listed = world.get(&replica, "ada", "/channels").await.json();
    assert_eq!(listed["items"], json!([changed]));
    assert_eq!(listed["offered"], json!(["in_app", "webhook"]));

    // Switched off: nothing is sent.
    world.publish(&[Task::in_seconds("ada", 7, 1).is_saved()]).await;
    world.states(7, &["delivered"]).await;
    assert_eq!(receiver.calls().len(), 2);

    for other in ["eve"] {
        let refused = (404, "not_found".to_owned());
        assert_eq!(
            world
                .send(&replica, other, Method::PUT, &path, &choices)
                .await
                .problem(),
            refused
        );
        assert_eq!(
            world
                .send(&replica, other, Method::DELETE, &path, &Value::Null)
                .await
                .problem(),
            refused
        );
        let test = format!("{path}/test");
        assert_eq!(
            world
                .send(&replica, other, Method::POST, &test, &Value::Null)
                .await
                .problem(),
            refused
        );
    }
    let deleted = world.send(&replica, "ada", Method::DELETE, &path, &Value::Null).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(world.get(&replica, "ada", "/channels").await.json()["items"], json!([]));
    assert_eq!(
        world
            .send(&replica, "ada", Method::DELETE, &path, &Value::Null)
            .await
            .status,
        404
    );
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn in_the_application_can_be_switched_off_and_then_only_the_others_count() {
    let world = World::new().await;
    let replica = world.start().await;
    let receiver = Receiver::start().await;
    let off = json!({"target": {"kind": "in_app"}, "enabled": false});
    assert_eq!(
        world
            .send(&replica, "ada", Method::POST, "/channels", &off)
            .await
            .status,
        201
    );
    world.publish(&[Task::in_seconds("ada", 7, 1).is_saved()]).await;
    world.states(7, &["expired"]).await;
    assert_eq!(world.reminders(7).await[0].2.as_deref(), Some("undeliverable"));

    world
        .channel(&replica, "ada", json!({"kind": "webhook", "url": receiver.url()}))
        .await;
    receiver.replies(&[Reply::Status(404)]);
    world.publish(&[Task::in_seconds("ada", 8, 1).is_saved()]).await;
    world.states(8, &["expired"]).await;
    world.publish(&[Task::in_seconds("ada", 9, 1).is_saved()]).await;
    world.states(9, &["delivered"]).await;
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn channels_that_cannot_be_are_refused() {
    let world = World::new().await;
    let replica = world
        .start_with(&[(TASKFLOW_WEBHOOK_ALLOW_PRIVATE.name, "false")])
        .await;
    replica.becomes_ready().await;
    for target in [
        json!({"kind": "webhook", "url": "https://127.0.0.1/"}),
        json!({"kind": "webhook", "url": "https://169.254.169.254/latest/meta-data"}),
        json!({"kind": "webhook", "url": "https://[::ffff:10.0.0.1]/"}),
        json!({"kind": "webhook", "url": "http://example.org/"}),
        json!({"kind": "webhook", "url": "https://a:b@example.org/"}),
        json!({"kind": "webhook", "url": ""}),
        json!({"kind": "webhook"}),
        json!({"kind": "webhook", "url": "https://example.org/", "more": 1}),
        json!({"kind": "email", "address": "no address"}),
        json!({"kind": "email", "address": "a@example.org\r\nBcc: b@example.org"}),
        json!({"kind": "email", "address": "a@example.org"}), // no mail server here
        json!({"kind": "web_push", "endpoint": "https://example.org/", "keys": {"p256dh": "AA", "auth": "AA"}}),
        json!({"kind": "pigeon"}),
    ] {
        let body = json!({ "target": target });
        let answer = world.send(&replica, "ada", Method::POST, "/channels", &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{target}");
    }
    let quiet = json!({"target": {"kind": "in_app"}, "quiet": {"from": "25:00", "until": "07:00"}});
    let answer = world.send(&replica, "ada", Method::POST, "/channels", &quiet).await;
    assert_eq!(answer.problem(), (422, "invalid_body".to_owned()));

    // A name that leads inside is found out when it is called.
    let inside = json!({"kind": "webhook", "url": "https://localhost/"});
    let added = world.channel(&replica, "ada", inside).await;
    let path = format!("/channels/{}/test", added["id"].as_str().unwrap());
    let tried = world.send(&replica, "ada", Method::POST, &path, &Value::Null).await;
    assert_eq!(
        tried.json(),
        json!({"outcome": "failed", "detail": "the address is not public"})
    );
    replica.stop().await;
}

#[tokio::test]
async fn nobody_has_more_channels_than_twenty() {
    let world = World::new().await;
    let replica = world.start().await;
    let target = json!({"kind": "webhook", "url": "https://example.org/"});
    for _ in 0..20 {
        world.channel(&replica, "ada", target.clone()).await;
    }
    let body = json!({ "target": target });
    let answer = world.send(&replica, "ada", Method::POST, "/channels", &body).await;
    assert_eq!(answer.problem(), (409, "conflict".to_owned()));
    replica.stop().await;
}
