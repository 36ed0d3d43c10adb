//! Reminders that leave the application, to a real receiver.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use ring::hmac;
use serde_json::json;

use crate::{
    events::Task,
    receiver::{Call, Receiver, Reply},
    world::{Replica, World},
};

const DELIVERED: &str = "select count(*) from notification.delivery where kind = 'webhook' and state = 'delivered'";

async fn start() -> (World, Replica, Receiver) {
    let world = World::new().await;
    let replica = world.start().await;
    (world, replica, Receiver::start().await)
}

async fn hook(world: &World, replica: &Replica, receiver: &Receiver) -> serde_json::Value {
    let target = json!({"kind": "webhook", "url": receiver.url()});
    world.channel(replica, "ada", target).await
}

/// As the receiver's own code would, with nothing of the service.
fn is_signed(call: &Call, secret: &str) -> bool {
    let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let mut signed = format!("{}.{}.", call.header("webhook-id"), call.header("webhook-timestamp")).into_bytes();
    signed.extend(&call.body);
    let signature = call.header("webhook-signature").strip_prefix("v1,").unwrap();
    hmac::verify(&key, &signed, &BASE64_STANDARD.decode(signature).unwrap()).is_ok()
}

#[tokio::test]
async fn a_webhook_is_called_once_and_signed() {
    let (world, replica, receiver) = start().await;
    let channel = hook(&world, &replica, &receiver).await;
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    world.counts(DELIVERED, 1).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 1);
    assert!(is_signed(&calls[0], channel["secret"].as_str().unwrap()));
    assert!(!is_signed(&calls[0], "whsec_AAAA"));
    let told = calls[0].json();
    assert_eq!(told["type"], "reminder.due");
    assert_eq!(told["data"]["title"], "Water the plants");
    assert_eq!(told["data"]["task_id"], 7);
    assert_eq!(told["data"]["late"], false);
    assert_eq!(told["data"]["url"], "https://tasks.example.org/tasks/7");
    assert_eq!(
        told["data"]["delivery_id"].as_str(),
        Some(calls[0].header("webhook-id"))
    );
    let delivered = r#"notification_deliveries_total{channel="webhook",outcome="delivered"}"#;
    assert_eq!(replica.value_of(delivered).await, 1.0);
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn what_fails_for_now_is_tried_again_under_the_same_id() {
    let (world, replica, receiver) = start().await;
    hook(&world, &replica, &receiver).await;
    receiver.replies(&[Reply::Status(500), Reply::Status(429)]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    world.counts(DELIVERED, 1).await;
    let calls = receiver.calls();
    assert_eq!(calls.len(), 3);
    assert!(
        calls
            .iter()
            .all(|call| call.header("webhook-id") == calls[0].header("webhook-id"))
    );
    let reminder = world.get(&replica, "ada", "/reminders").await.json()["items"][0].clone();
    let delivery = reminder["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["kind"] == "webhook");
    assert_eq!(delivery.unwrap()["attempts"], 3);
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_stands_in_the_ledger() {
    let (world, replica, receiver) = start().await;
    hook(&world, &replica, &receiver).await;
    receiver.replies(&[Reply::Redirect("http://169.254.169.254/latest/meta-data")]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    let failed = "select count(*) from notification.delivery where state = 'failed' and detail like '%redirects are not followed'";
    world.counts(failed, 1).await;
    assert_eq!(receiver.calls().len(), 1);
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_left_in_time_and_tried_again() {
    let (world, replica, receiver) = start().await;
    hook(&world, &replica, &receiver).await;
    receiver.replies(&[Reply::Silence]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    world.counts(DELIVERED, 1).await;
    assert_eq!(receiver.calls().len(), 2);
    let attempt = "select count(*) from notification.delivery_attempt where outcome = 'retry' and detail like 'did not answer within%'";
    assert_eq!(world.count(attempt).await, 1);
    let doubt = r#"notification_attempts_in_doubt_total{channel="webhook"}"#;
    assert_eq!(replica.value_of(doubt).await, 0.0);
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_retires_its_channel() {
    let (world, replica, receiver) = start().await;
    let channel = hook(&world, &replica, &receiver).await;
    receiver.replies(&[Reply::Status(410)]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    world
        .counts(
            "select count(*) from notification.channel where retired_because = 'answered 410'",
            1,
        )
        .await;
    let channels = world.get(&replica, "ada", "/channels").await.json();
    assert_eq!(channels["items"][0]["id"], channel["id"]);
    assert_eq!(channels["items"][0]["retired_because"], "answered 410");
    // Nothing more is sent there.
    world.publish(&[Task::in_seconds("ada", 8, 2).is_saved()]).await;
    world.states(8, &["delivered"]).await;
    replica.stop().await;
    world.assert_settled().await;
    assert_eq!(receiver.calls().len(), 1);
}

#[tokio::test]
async fn completing_the_task_stops_what_is_still_tried() {
    let (world, replica, receiver) = start().await;
    hook(&world, &replica, &receiver).await;
    receiver.replies(&[Reply::Status(503); 20]);
    let mut task = Task::in_seconds("ada", 7, 2);
    world.publish(&[task.is_saved()]).await;
    receiver.gets(2).await;
    world.publish(&[task.is_completed()]).await;
    world
        .counts(
            "select count(*) from notification.delivery where state = 'superseded'",
            1,
        )
        .await;
    world.states(7, &["delivered"]).await; // in the application
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn quiet_hours_hold_messages_back_until_they_end() {
    let (world, replica, receiver) = start().await;
    let berlin = domain::time::Zone::new("Europe/Berlin").unwrap();
    let clock = |hours: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        berlin.local(at).strftime("%H:%M").to_string()
    };
    let body = json!({
        "target": {"kind": "webhook", "url": receiver.url()},
        "quiet": {"from": clock(-1), "until": clock(1)},
    });
    let added = world.send(&replica, "ada", Method::POST, "/channels", &body).await;
    assert_eq!(added.status, 201, "{added:?}");
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    world.states(7, &["delivered"]).await;
    let held = "select count(*) from notification.delivery where state = 'pending' and next_at > now() + interval '50 minutes'";
    assert_eq!(world.count(held).await, 1);
    let suppressed = r#"notification_deliveries_total{channel="webhook",outcome="suppressed"}"#;
    replica.reaches(suppressed, 1.0).await;
    assert_eq!(receiver.calls().len(), 0);
    replica.stop().await;
}
