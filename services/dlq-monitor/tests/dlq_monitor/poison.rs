//! Whatever lies in a dead-letter topic is kept and shown: nothing makes the service stumble.

use catalogue::{
    services::AUDIT,
    topics::{MAX_EVENT_BYTES, REMINDERS_DLQ, TASK_EVENTS, TASK_EVENTS_DLQ},
};
use serde_json::{Value, json};

use crate::{consumer::Consumer, events::task_event, world::World};

/// What nobody can understand.
fn poisons() -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        b"\0".to_vec(),
        b"\xff\xfe\x00\x01".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{".to_vec(),
        b"{}".to_vec(),
        br#"{"id":"a","id":"b"}"#.to_vec(),
        br#"{"id":"\u0000","type":"\u0000","subject":"\ud800"}"#.to_vec(),
        br#"{"specversion":"1.0","type":"dev.taskflow.task.created.v9","sequence":"99999999999999999999"}"#.to_vec(),
        "[".repeat(100_000).into_bytes(),
        format!(r#"{{"a":{}1{}}}"#, "[".repeat(1_000), "]".repeat(1_000)).into_bytes(),
        vec![b'x'; MAX_EVENT_BYTES as usize - 4096],
    ]
}

#[tokio::test]
async fn whatever_arrives_is_kept_shown_and_can_be_discarded() {
    let world = World::new().await;
    let replica = world.start().await;
    let poisons = poisons();
    for poison in &poisons {
        world.put(TASK_EVENTS_DLQ, Some(b"7"), Some(poison), &[]).await;
    }
    let odd: &[(&str, &[u8])] = &[
        ("dead-letter-attempts", b"many"),
        ("dead-letter-first-seen", b"yesterday"),
        ("dead-letter-origin-offset", b"-"),
        ("dead-letter-reason", b"a\0b\x1b[2J"),
        ("dead-letter-detail", b"\xff"),
        ("", b"\0"),
    ];
    world.put(REMINDERS_DLQ, Some(b"\xff\0"), Some(b"x"), odd).await;
    world.put(REMINDERS_DLQ, None, None, &[]).await;
    let count = i64::try_from(poisons.len()).unwrap() + 2;
    world.letters("waiting", count).await;

    let listed = world.get(&replica, "/dead-letters?limit=200").await;
    let listed = listed["items"].as_array().unwrap();
    let mut values = Vec::new();
    for letter in listed {
        let shown = world
            .get(&replica, &format!("/dead-letters/{}", letter["id"].as_str().unwrap()))
            .await;
        values.push(shown["value"]["text"].as_str().map(|text| text.as_bytes().to_vec()));
    }
    for poison in poisons.iter().filter(|it| std::str::from_utf8(it).is_ok()) {
        assert!(values.contains(&Some(poison.clone())), "{:?}", poison.get(..20));
    }
    let tried = json!({"selection": {"all": true}});
    let answer = world
        .asks(&replica, reqwest::Method::POST, "/dead-letters/dry-run", Some(&tried))
        .await;
    assert_eq!(answer.json()["outcomes"], json!({"schema": count}), "{answer:?}");
    world.letters("waiting", count).await;
    let action = world.replays(&replica, &tried).await;
    assert_eq!(action["outcomes"], json!({"schema": count}), "{action}");
    let (code, printed) = world
        .types(&["discard", "--all", "--because", "nobody knows what it was"])
        .await;
    assert_eq!(code, 0, "{printed}");
    world.is_settled().await;
    replica.becomes(r#"dlq_depth{topic="task-events"}"#, 0.0).await;
    replica.stop().await;
}

#[tokio::test]
async fn what_a_consumer_cannot_read_is_kept_with_its_reason_and_holds_nobody_back() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.rejects(&[(7, 1)]);
    world
        .put(
            TASK_EVENTS,
            Some(b"7"),
            Some(b"{ no event"),
            &[("left-by", b"somebody")],
        )
        .await;
    world.publish(&[task_event("ada", 7, 1)]).await;
    world.letters("waiting", 2).await;
    let letters = world.get(&replica, "/dead-letters?reason=not_json").await;
    let id = letters["items"][0]["id"].as_str().unwrap();
    let shown = world.get(&replica, &format!("/dead-letters/{id}")).await;
    assert_eq!(shown["value"], json!({"text": "{ no event"}));
    assert_eq!(shown["key"], json!({"text": "7"}));
    assert_eq!((&shown["consumer"], &shown["attempts"]), (&json!("audit"), &json!(0)));
    assert_eq!(shown["origin_offset"], json!(0));
    assert_eq!(shown["headers"][0], json!({"name": "left-by", "text": "somebody"}));

    let other = world.get(&replica, "/dead-letters?reason=rejected").await;
    let other = &other["items"][0];
    assert_eq!(other["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(
        (&other["task_id"], &other["version"], &other["attempts"]),
        (&json!(7), &json!(1), &json!(1))
    );
    consumer.rejects(&[]);
    let action = world.replays(&replica, &json!({"selection": {"all": true}})).await;
    assert_eq!(action["outcomes"], json!({"replayed": 1, "schema": 1}), "{action}");
    consumer.has_applied(1).await;
    world.letters("waiting", 1).await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn letters_with_the_same_cause_are_one_group() {
    let world = World::new().await;
    let replica = world.start().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    let events: Vec<_> = (1..=4).map(|task| task_event("ada", task, 1)).collect();
    world.publish(&events).await;
    world.put(TASK_EVENTS, Some(b"9"), Some(b"{"), &[]).await;
    world.letters("waiting", 5).await;
    let groups = world.get(&replica, "/dead-letters/groups").await;
    let of = |at: usize, field: &str| groups[at][field].clone();
    assert_eq!((of(0, "letters"), of(0, "tasks")), (json!(4), json!(4)));
    assert_eq!(
        (of(0, "reason"), of(0, "fault")),
        (json!("rejected"), json!("task # is not what it should be"))
    );
    assert_eq!((of(1, "letters"), of(1, "reason")), (json!(1), json!("not_json")));
    let path = format!("/dead-letters?group={}", of(0, "group").as_str().unwrap());
    let page: Value = world.get(&replica, &format!("{path}&limit=3")).await;
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let rest = world
        .get(&replica, &format!("{path}&after={}", page["next"].as_str().unwrap()))
        .await;
    assert_eq!(
        (rest["items"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );
    consumer.stop().await;
    replica.stop().await;
}
