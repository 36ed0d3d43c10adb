//! The same request, sent again, has one effect and one answer.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, App, Person, id};

fn keyed(person: &Person<'_>, path: &str, key: &str) -> reqwest::RequestBuilder {
    person.request(Method::POST, path).header("idempotency-key", key)
}

async fn titles(person: &Person<'_>) -> usize {
    person.get("/tasks").await.expect(200)["items"]
        .as_array()
        .map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_recorded_answer() {
    let app = App::start().await;
    let ada = app.person("ada");
    let new = json!({"title": "Once"});
    let first = Answer::to(keyed(&ada, "/tasks", "k-1").json(&new)).await;
    let again = Answer::to(keyed(&ada, "/tasks", "k-1").json(&new)).await;
    assert_eq!(
        (again.expect(201), again.header("etag")),
        (first.expect(201), first.header("etag"))
    );
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(titles(&ada).await, 1);
    assert!(app.value_of("idempotent_replays_total").await >= 1.0);

    // The answer is that of the request, whatever became of the task.
    let path = format!("/tasks/{}", id(&first.expect(201)));
    ada.delete(&path).await.expect(204);
    assert_eq!(
        Answer::to(keyed(&ada, "/tasks", "k-1").json(&new)).await.expect(201),
        first.expect(201)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_request_of_one_person() {
    let app = App::start().await;
    let (ada, bob) = (app.person("ada"), app.person("bob"));
    let task = Answer::to(keyed(&ada, "/tasks", "k").json(&json!({"title": "A"})))
        .await
        .expect(201);
    let path = format!("/tasks/{}/complete", id(&task));
    for other in [
        keyed(&ada, "/tasks", "k").json(&json!({"title": "B"})),
        keyed(&ada, &path, "k"),
    ] {
        assert_eq!(
            Answer::to(other).await.problem(),
            (422, "idempotency_key_reused".to_owned())
        );
    }
    let of_bob = Answer::to(keyed(&bob, "/tasks", "k").json(&json!({"title": "A"})))
        .await
        .expect(201);
    assert_eq!(of_bob["user_id"], "bob");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_had_no_effect_does_not_use_up_the_key() {
    let app = App::start().await;
    let ada = app.person("ada");
    let refused = keyed(&ada, "/tasks", "k").json(&json!({"title": ""}));
    assert_eq!(Answer::to(refused).await.problem().0, 422);
    Answer::to(keyed(&ada, "/tasks", "k").json(&json!({"title": "Now"})))
        .await
        .expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_sent_many_times_at_once_has_one_effect() {
    let app = App::start().await;
    let ada = app.person("ada");
    let new = json!({"title": "Once", "due": {"kind": "instant", "at": "2026-05-01T08:00:00Z"}});
    let answers = join_all((0..16).map(|_| Answer::to(keyed(&ada, "/tasks", "race").json(&new)))).await;
    let tasks: Vec<Value> = answers.iter().map(|answer| answer.expect(201)).collect();
    assert!(tasks.iter().all(|task| *task == tasks[0]), "{tasks:?}");
    assert_eq!(titles(&ada).await, 1);

    let path = format!("/tasks/{}/complete", id(&tasks[0]));
    let answers = join_all((0..16).map(|_| Answer::to(keyed(&ada, &path, "race-2")))).await;
    assert!(answers.iter().all(|answer| answer.expect(200)["version"] == 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_visible_ascii() {
    let app = App::start().await;
    let ada = app.person("ada");
    let long = "k".repeat(256);
    for key in ["", "a b", "ü", &long] {
        let refused = Answer::to(keyed(&ada, "/tasks", key).json(&json!({"title": "A"}))).await;
        assert_eq!(refused.problem(), (400, "invalid_header".to_owned()), "{key}");
        assert_eq!(refused.expect(400)["errors"][0]["header"], "idempotency-key");
    }
}
