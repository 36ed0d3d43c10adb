//! A process that dies at each of its named places, and one that takes over.

use std::{collections::BTreeSet, os::unix::process::ExitStatusExt as _};

use domain::task::transition::ChangeKind;
use event_bus::crash;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::{
    app::{Answer, App, PATIENCE, Person, id},
    events::{Reader, change},
};

fn create(person: &Person<'_>) -> RequestBuilder {
    let request = person.request(Method::POST, "/tasks").header("idempotency-key", "k");
    request.json(&json!({"title": "Once"}))
}

/// Dies at this place with the first task; the client, which does not know, asks again. `answered` says whether the
/// first request got its answer, `kept` whether it had an effect.
async fn survives(place: &str, answered: bool, kept: bool) {
    let mut app = App::start_with(&[(crash::VARIABLE, place)]).await;
    let first = create(&app.person("ada")).send().await;
    assert!(first.is_err() || answered, "{place}: {first:?}");
    let status = app.service.exit(PATIENCE).await;
    assert_eq!(status.signal(), Some(9), "{place}");

    app.restart().await;
    let ada = app.person("ada");
    let again = Answer::to(create(&ada)).await;
    let task = again.expect(201);
    assert_eq!(again.headers.contains_key("idempotency-replayed"), kept, "{place}");
    let list = ada.get("/tasks").await.expect(200);
    assert_eq!(list["items"], json!([task]), "{place}: once, not twice and not never");

    // A second event comes after everything that there is of the first, which may come twice with one id.
    ada.act(&format!("/tasks/{}/complete", id(&task))).await.expect(200);
    let (reader, mut created) = (Reader::of(&app.topics), BTreeSet::new());
    loop {
        let event = reader.take(1).remove(0);
        match change(&event).kind {
            ChangeKind::Created => created.insert(event.context.id),
            _ => break,
        };
        assert_eq!(event.task_id().get(), id(&task), "{place}");
    }
    assert_eq!(created.len(), 1, "{place}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_before_the_commit_leaves_nothing() {
    survives("chat.before_commit", false, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_after_the_commit_leaves_the_task_its_event_and_the_answer() {
    survives("chat.after_commit", false, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_before_publishing_leaves_the_event_to_the_next() {
    survives("outbox.before_publish", true, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_after_publishing_may_publish_twice_and_never_loses() {
    survives("outbox.after_publish", true, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_after_the_mark_publishes_no_more() {
    survives("outbox.after_mark", true, true).await;
}
