//! What happens when something that the service needs goes away, and when it is told to stop.

use std::time::Duration;

use domain::task::transition::ChangeKind;
use reqwest::Method;
use serde_json::json;
use test_kit::{Detour, wait_until};

use crate::{
    app::{Answer, App, PATIENCE},
    events::{Reader, change},
};

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_it_says_so_and_recovers() {
    let database = App::database().await;
    let detour = Detour::to(&database.url()).await;
    detour.open();
    let app = App::start_on(database, &[("TASKFLOW_DATABASE_URL", &detour.url())]).await;
    let ada = app.person("ada");
    ada.create(&json!({"title": "before"})).await;

    detour.cut();
    for _ in 0..2 {
        let refused = ada.post("/tasks", &json!({"title": "lost"})).await;
        assert_eq!(refused.problem(), (503, "unavailable".to_owned()));
        assert!(
            refused
                .header("retry-after")
                .parse::<u32>()
                .is_ok_and(|seconds| seconds >= 1)
        );
        app.readiness(503).await;
    }
    detour.open();
    app.readiness(200).await;
    ada.create(&json!({"title": "after"})).await;
    let list = ada.get("/tasks?sort=created").await.expect(200);
    let titles: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| &task["title"])
        .collect();
    assert_eq!(titles, ["before", "after"], "what was refused had no effect");
    assert_eq!(Reader::of(&app.topics).take(2).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_brokers_it_takes_tasks_and_keeps_their_events() {
    let app = App::start_with(&[("TASKFLOW_KAFKA_BROKERS", "127.0.0.1:1")]).await;
    app.person("ada").create(&json!({"title": "kept"})).await;
    let pool = app.database.pool().await;
    let kept: i64 = sqlx::query_scalar("select count(*) from chat.outbox")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(kept, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_publishes_what_requests_under_way_still_change() {
    let mut app = App::start().await;
    let task = app.person("ada").create(&json!({"title": "slow"})).await;
    let path = format!("/tasks/{}", task["id"]);
    Reader::of(&app.topics).take(1);

    let pool = app.database.pool().await;
    let mut locked = pool.begin().await.unwrap();
    sqlx::query("select from chat.task for update")
        .execute(&mut *locked)
        .await
        .unwrap();
    let slow = app
        .person("ada")
        .request(Method::PATCH, &path)
        .json(&json!({"title": "changed"}));
    let slow = tokio::spawn(slow.send());
    wait_until("the request waits for the row", PATIENCE, async || {
        let waiting = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&pool).await.unwrap();
        if waiting > 0 { Ok(()) } else { Err("nobody waits") }
    })
    .await;
    app.service.terminate();
    app.readiness(503).await;
    locked.commit().await.unwrap();

    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(app.service.exit(Duration::from_secs(15)).await.code(), Some(0));
    let events = Reader::of(&app.topics).take(2);
    assert_eq!(change(&events[1]).kind, ChangeKind::Updated);
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_ends_well_and_the_next_one_publishes_what_it_could_not() {
    let mut app = App::start().await;
    app.person("ada").create(&json!({"title": "last"})).await;
    app.service.terminate();
    assert_eq!(app.service.exit(Duration::from_secs(15)).await.code(), Some(0));
    app.restart().await;
    let events = Reader::of(&app.topics).take(1);
    assert_eq!(change(&events[0]).kind, ChangeKind::Created);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_forgotten_after_a_day() {
    const AGED: &str = "insert into chat.idempotency_key (user_id, key, fingerprint, created_at, status, headers, body)
        values ('ada', $1, '\\x00', now() - interval '24 hours 1 minute', 201, '{}', '')";
    let database = App::database().await;
    let pool = database.pool().await;
    sqlx::query(AGED).bind("old").execute(&pool).await.unwrap();
    let app = App::start_on(database, &[]).await;
    wait_until("the old key is gone", PATIENCE, async || {
        let left: i64 = sqlx::query_scalar("select count(*) from chat.idempotency_key")
            .fetch_one(&pool)
            .await
            .unwrap();
        if left == 0 {
            Ok(())
        } else {
            Err(format!("{left} are left"))
        }
    })
    .await;

    sqlx::query(AGED).bind("k").execute(&pool).await.unwrap();
    let ada = app.person("ada");
    let request = ada.request(Method::POST, "/tasks").header("idempotency-key", "k");
    let answer = Answer::to(request.json(&json!({"title": "anew"}))).await;
    assert_eq!(answer.expect(201)["title"], "anew");
    assert!(!answer.headers.contains_key("idempotency-replayed"));
}
