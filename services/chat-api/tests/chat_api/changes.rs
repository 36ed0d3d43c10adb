//! Changing single tasks: versions, conditions, merge patches, putting off, deleting, looking back.

use domain::task::transition::ChangeKind;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, id},
    events::{Reader, change},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = ada
        .create(&json!({
            "title": "Water the plants",
            "description": "Not the cactus.",
            "priority": "low",
            "tags": ["home"],
            "due": {"kind": "floating", "local": "2026-05-01T08:00:00"},
            "reminders": [{"kind": "before_due", "seconds": 600}],
            "recurrence": {"rule": "FREQ=WEEKLY"},
        }))
        .await;
    let path = format!("/tasks/{}", id(&task));

    let renamed = ada
        .patch(&path, &json!({"title": "Water the flowers"}))
        .await
        .expect(200);
    let mut expected = task.clone();
    expected["title"] = "Water the flowers".into();
    expected["version"] = 2.into();
    expected["updated_at"] = renamed["updated_at"].clone();
    assert_eq!(renamed, expected);

    let cleared = json!({"description": null, "priority": null, "tags": null, "reminders": null, "recurrence": null});
    let cleared = ada.patch(&path, &cleared).await.expect(200);
    assert_eq!(cleared["description"], "");
    assert_eq!(cleared["priority"], "none");
    assert_eq!(cleared["tags"], json!([]));
    assert_eq!(cleared["reminders"], json!([]));
    assert_eq!(cleared["recurrence"], Value::Null);
    assert_eq!(cleared["series"], task["series"], "it stays an instance of its series");

    let same = ada.patch(&path, &json!({"priority": "none"})).await;
    assert_eq!(same.header("etag"), "\"3\"", "nothing changed");
    let merged = ada.request(Method::PATCH, &path).body(r#"{"due":null}"#);
    let merged = Answer::to(merged.header("content-type", "application/merge-patch+json"))
        .await
        .expect(200);
    assert_eq!((&merged["due"], &merged["version"]), (&Value::Null, &json!(4)));
    let refused = ada.patch(&path, &json!({"title": null, "tags": []})).await;
    assert_eq!(refused.problem(), (422, "invalid_body".to_owned()));
    assert_eq!(refused.expect(422)["errors"][0]["pointer"], "/title");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_version_is_refused_with_the_current_one() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = ada.create(&json!({"title": "Call home"})).await;
    let path = format!("/tasks/{}", id(&task));
    let changed = ada.patch(&path, &json!({"title": "Call mother"})).await.expect(200);

    let with = |method: Method, path: &str, tag: &str| ada.request(method, path).header("if-match", tag);
    let father = json!({"title": "Call father"});
    let stale = [
        with(Method::PATCH, &path, "\"1\"").json(&father),
        with(Method::PATCH, &path, "W/\"2\"").json(&father),
        with(Method::DELETE, &path, "\"1\""),
        with(Method::POST, &format!("{path}/complete"), "\"1\""),
        with(Method::POST, &format!("{path}/reopen"), "\"x\""),
        with(Method::POST, &format!("{path}/snooze"), "\"1\"").json(&json!({"for": "PT1H"})),
    ];
    for request in stale {
        let refused = Answer::to(request).await;
        assert_eq!(refused.problem(), (412, "version_mismatch".to_owned()));
        assert_eq!(refused.expect(412)["current"], changed);
        assert_eq!(refused.header("etag"), "\"2\"");
    }
    let fresh = Answer::to(with(Method::PATCH, &path, "\"7\", \"2\"").json(&father)).await;
    assert_eq!(fresh.header("etag"), "\"3\"");
    assert_eq!(
        Answer::to(with(Method::POST, &format!("{path}/complete"), "*"))
            .await
            .header("etag"),
        "\"4\""
    );

    let have = |tag: &str| ada.request(Method::GET, &path).header("if-none-match", tag);
    let known = Answer::to(have("W/\"4\"")).await;
    assert_eq!(
        (known.status.as_u16(), known.text.as_str(), known.header("etag")),
        (304, "", "\"4\"")
    );
    Answer::to(have("\"3\"")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_put_off_in_its_own_kind_of_time() {
    let app = App::start().await;
    let ada = app.person("ada");
    let due = json!({"kind": "zoned", "local": "2026-05-01T08:00:00", "zone": "Asia/Tokyo"});
    let task = ada.create(&json!({"title": "Stretch", "due": due})).await;
    let path = format!("/tasks/{}/snooze", id(&task));
    let later = ada
        .post(&path, &json!({"until": "2999-06-01T00:00:00Z"}))
        .await
        .expect(200);
    assert_eq!(later["due"]["local"], "2999-06-01T09:00:00");
    assert_eq!(later["due"]["zone"], "Asia/Tokyo");

    let past = ada.post(&path, &json!({"until": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(past.problem(), (422, "invalid_body".to_owned()));
    let undue = ada.create(&json!({"title": "Some day"})).await;
    let undue = ada
        .post(&format!("/tasks/{}/snooze", id(&undue)), &json!({"for": "P1D"}))
        .await;
    assert_eq!(undue.problem(), (409, "conflict".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_task_is_gone_and_its_event_tells_what_it_was() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = ada.create(&json!({"title": "Old news"})).await;
    let path = format!("/tasks/{}", id(&task));
    let deleted = ada.delete(&path).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    for gone in [
        ada.get(&path).await,
        ada.delete(&path).await,
        ada.act(&format!("{path}/complete")).await,
        ada.get(&format!("{path}/history")).await,
    ] {
        assert_eq!(gone.problem(), (404, "not_found".to_owned()));
    }
    let events = Reader::of(&app.topics).take(2);
    let last = change(&events[1]);
    assert_eq!((last.kind, last.snapshot.version.get()), (ChangeKind::Deleted, 2));
    assert_eq!(last.snapshot.title, "Old news");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_tells_each_change_and_by_what_it_came() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = ada.create(&json!({"title": "Draft", "description": "äöü"})).await;
    let path = format!("/tasks/{}", id(&task));
    let edit = ada.request(Method::PATCH, &path).header("x-correlation-id", "the-edit");
    Answer::to(edit.json(&json!({"title": "Final", "description": ""})))
        .await
        .expect(200);
    ada.act(&format!("{path}/complete")).await.expect(200);

    let first = ada.get(&format!("{path}/history?limit=2")).await.expect(200);
    let kinds: Vec<_> = first["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["kind"])
        .collect();
    assert_eq!(kinds, ["completed", "updated"]);
    let edit = &first["items"][1];
    assert_eq!(edit["correlation_id"], "the-edit");
    let fields = json!({"title": {"from": "Draft", "to": "Final"}, "description_bytes": {"from": 6, "to": 0}});
    assert_eq!(edit["fields"], fields);
    let cursor = first["next"].as_str().unwrap();
    let last = ada
        .get(&format!("{path}/history?limit=2&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(
        last["items"][0]["fields"]["title"],
        json!({"from": null, "to": "Draft"})
    );
    assert_eq!(last["next"], Value::Null);
}
