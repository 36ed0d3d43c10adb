//! `GET /tasks/{id}/audit`: the record of one's own task, in pages.

use jiff::Timestamp;

use crate::{
    events::{described, task_event},
    world::{Answer, World, client},
};

#[tokio::test]
async fn the_record_of_a_task_is_read_in_pages_oldest_first() {
    let world = World::new().await;
    let replica = world.start().await;
    let events: Vec<_> = (1..=5).map(|version| task_event("ada", 7, version)).collect();
    world.publish(&events).await;
    world.rows(5).await;

    let (mut path, mut entries) = ("/tasks/7/audit?limit=2".to_owned(), Vec::new());
    loop {
        let answer = world.get(&replica, "ada", &path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.json();
        assert_eq!(
            (&page["task_id"], &page["dropped"]),
            (&7.into(), &serde_json::json!([]))
        );
        assert_eq!(page["head"]["position"], 5);
        entries.extend(page["entries"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_i64() else {
            assert!(!answer.headers.contains_key("link"));
            assert_eq!(page["head"]["hash"], entries[4]["hash"]);
            break;
        };
        let link = answer.headers["link"].to_str().unwrap();
        assert_eq!(link, format!("</tasks/7/audit?after={next}&limit=2>; rel=\"next\""));
        path = link[1..].split('>').next().unwrap().to_owned();
    }
    for ((event, entry), position) in events.iter().zip(&entries).zip(1..) {
        assert_eq!(entry["position"], position);
        assert_eq!(entry["event_id"], event.event_id.to_string());
        assert_eq!(entry["type"], event.event_type);
        assert_eq!(entry["event"]["sequence"], format!("{position:016}"));
    }
    let linked = |pair: &[serde_json::Value]| pair[0]["hash"] == pair[1]["previous_hash"];
    assert!(entries.len() == 5 && entries.windows(2).all(linked), "{entries:#?}");
    replica.stop().await;
}

#[tokio::test]
async fn a_page_of_large_events_is_short_and_says_that_it_goes_on() {
    let world = World::new().await;
    let replica = world.start().await;
    let long = "x".repeat(200_000);
    let events: Vec<_> = (1..=12)
        .map(|version| described("ada", 7, version, Timestamp::now(), &long))
        .collect();
    for event in events.chunks(3) {
        world.publish(event).await;
    }
    world.rows(12).await;
    let page = world.get(&replica, "ada", "/tasks/7/audit").await;
    let (count, bytes) = (page.json()["entries"].as_array().unwrap().len(), page.text.len());
    assert!(
        (1..12).contains(&count) && bytes < 2 << 20,
        "{count} entries, {bytes} bytes"
    );
    assert_eq!(page.json()["next"].as_u64(), u64::try_from(count).ok());
    replica.stop().await;
}

#[tokio::test]
async fn what_belongs_to_others_is_not_found() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish(&[task_event("ada", 7, 1), task_event("bob", 8, 1)]).await;
    world.rows(2).await;
    let not_found = (404, "not_found".to_owned());
    for (user, path) in [
        ("bob", "/tasks/7/audit"),
        ("ada", "/tasks/8/audit?after=5"),
        ("ada", "/tasks/9/audit"),
        ("ada", "/tasks/0/audit"),
        ("ada", "/tasks/-9223372036854775808/audit"),
        ("ada", "/tasks/9223372036854775808/audit"),
        ("ada", "/tasks/seven/audit"),
        ("ada", "/tasks/%00/audit"),
    ] {
        assert_eq!(
            world.get(&replica, user, path).await.problem(),
            not_found,
            "{user} {path}"
        );
    }
    assert_eq!(world.get(&replica, "ada", "/tasks/7/audit").await.status, 200);
    replica.stop().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused() {
    let world = World::new().await;
    let replica = world.start().await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "after=x",
        "limit=1&limit=2",
        "page=2",
    ] {
        let answer = world.get(&replica, "ada", &format!("/tasks/7/audit?{query}")).await;
        assert_eq!(answer.problem(), (400, "invalid_parameter".to_owned()), "{query}");
        let name = query.split('=').next().unwrap();
        assert_eq!(answer.json()["errors"][0]["parameter"], name, "{query}");
    }
    let export = world.get(&replica, "ada", "/audit/export?format=csv").await;
    assert_eq!(export.problem(), (400, "invalid_parameter".to_owned()));
    for path in ["/tasks/7/audit", "/audit/export"] {
        let anonymous = Answer::to(client().get(format!("http://{}{path}", replica.public))).await;
        assert_eq!(anonymous.problem(), (401, "token_missing".to_owned()), "{path}");
        let write = client().delete(format!("http://{}{path}", replica.public));
        let write = Answer::to(write.bearer_auth(world.issuer.token_for("ada"))).await;
        assert_eq!(write.status, 405, "{path}");
    }
    replica.stop().await;
}
