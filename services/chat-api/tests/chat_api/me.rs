//! What people choose, and what follows from it.

use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, App, id};

#[tokio::test(flavor = "multi_thread")]
async fn choices_are_versioned_and_hold_from_then_on() {
    let app = App::start().await;
    let ada = app.person("ada");
    let default = ada.get("/me").await;
    let expected = json!({"user_id": "ada", "time_zone": "UTC", "language": "en", "channels": ["in_app"]});
    assert_eq!((default.expect(200), default.header("etag")), (expected, "\"1\""));

    let chosen = json!({"time_zone": "america/new_york", "language": "de", "channels": ["email", "in_app"]});
    let put = |tag: &str| ada.request(Method::PUT, "/me").header("if-match", tag).json(&chosen);
    let changed = Answer::to(put("\"1\"")).await;
    let expected =
        json!({"user_id": "ada", "time_zone": "America/New_York", "language": "de", "channels": ["in_app", "email"]});
    assert_eq!(
        (changed.expect(200), changed.header("etag")),
        (expected.clone(), "\"2\"")
    );
    let stale = Answer::to(put("\"1\"")).await;
    assert_eq!(stale.problem(), (412, "version_mismatch".to_owned()));
    assert_eq!(stale.expect(412)["current"], expected);
    assert_eq!(ada.put("/me", &chosen).await.header("etag"), "\"2\"", "nothing changed");
    let known = ada.request(Method::GET, "/me").header("if-none-match", "\"2\"");
    assert_eq!(Answer::to(known).await.status.as_u16(), 304);

    ada.create(&json!({"title": "Häuser streichen"})).await;
    let found = ada.get("/tasks/search?q=haus").await.expect(200);
    assert_eq!(
        found["items"].as_array().map(Vec::len),
        Some(1),
        "German words have German stems: {found}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn floating_times_move_with_their_person() {
    let app = App::start().await;
    let ada = app.person("ada");
    let due = |local: &str| json!({"kind": "floating", "local": local});
    let floating = ada
        .create(&json!({"title": "a", "due": due("2026-07-01T08:00:00")}))
        .await;
    let instant = json!({"kind": "instant", "at": "2026-07-01T10:00:00Z"});
    let fixed = ada.create(&json!({"title": "b", "due": instant})).await;
    let order = async || {
        let list = ada.get("/tasks?sort=due").await.expect(200);
        list["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(order().await, [id(&floating), id(&fixed)]);
    let chosen = json!({"time_zone": "America/New_York", "language": "en", "channels": []});
    ada.put("/me", &chosen).await.expect(200);
    assert_eq!(
        order().await,
        [id(&fixed), id(&floating)],
        "8:00 in New York is 12:00 in UTC"
    );
    let read = ada.get(&format!("/tasks/{}", id(&floating))).await.expect(200);
    assert_eq!(read, floating, "what the clocks show, and the version, stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_left_behind_in_the_old_zone() {
    let app = App::start().await;
    let ada = app.person("ada");
    let due = json!({"kind": "floating", "local": "2026-07-01T08:00:00"});
    let new = json!({"title": "a", "due": due});
    let create = async || {
        for _ in 0..40 {
            let task = ada.create(&new).await;
            let patch = json!({"title": "b", "due": due});
            ada.patch(&format!("/tasks/{}", id(&task)), &patch).await.expect(200);
        }
    };
    let travel = async || {
        for zone in ["Asia/Tokyo", "UTC", "America/Lima"].iter().cycle().take(60) {
            let chosen = json!({"time_zone": zone, "language": "en", "channels": []});
            ada.put("/me", &chosen).await.expect(200);
        }
    };
    tokio::join!(create(), create(), travel());
    let pool = app.database.pool().await;
    let behind: i64 = sqlx::query_scalar(
        "select count(*) from chat.task join chat.profile using (user_id) where due_at <> due_local at time zone time_zone",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(behind, 0, "of 80 tasks");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_chosen_is_refused() {
    let app = App::start().await;
    let ada = app.person("ada");
    for (body, pointer) in [
        (
            json!({"time_zone": "Mars/Olympus", "language": "en", "channels": []}),
            "/time_zone",
        ),
        (
            json!({"time_zone": "UTC", "language": "english", "channels": []}),
            "/language",
        ),
        (
            json!({"time_zone": "UTC", "language": "en", "channels": ["pigeon"]}),
            "/channels/0",
        ),
        (json!({"time_zone": "UTC", "language": "en"}), "/channels"),
        (
            json!({"time_zone": "UTC", "language": "en", "channels": [], "user_id": "bob"}),
            "/user_id",
        ),
    ] {
        let refused = ada.put("/me", &body).await;
        assert_eq!(refused.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
}
