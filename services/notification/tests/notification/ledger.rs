//! What people see of their reminders, and how they put them off.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    events::Task,
    world::{Replica, World},
};

async fn items(world: &World, replica: &Replica, user: &str, query: &str) -> Vec<Value> {
    let answer = world.get(replica, user, &format!("/reminders{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn people_find_their_own_reminders_page_by_page() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut tasks: Vec<_> = (1..=5)
        .map(|id| Task::in_seconds("ada", id, 3600 * id).is_saved())
        .collect();
    tasks.push(Task::in_seconds("eve", 6, 3600).is_saved());
    let mut done = Task::in_seconds("ada", 7, 1800);
    tasks.extend([done.is_saved(), done.is_completed()]);
    world.publish(&tasks).await;
    world.states(7, &["superseded"]).await;
    world.counts("select count(*) from notification.reminder", 7).await;

    let mut found = Vec::new();
    let mut path = "/reminders?limit=2".to_owned();
    loop {
        let answer = world.get(&replica, "ada", &path).await;
        let page = answer.json();
        found.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it["task_id"].as_i64().unwrap()),
        );
        let Some(next) = page["next"].as_str() else { break };
        let link = answer.headers["link"].to_str().unwrap();
        assert!(link.contains(next) && link.ends_with("rel=\"next\""), "{link}");
        path = format!("/reminders?limit=2&cursor={next}");
    }
    assert_eq!(found, [5, 4, 3, 2, 1, 7]);

    let of = async |query: &str| items(&world, &replica, "ada", query).await.len();
    assert_eq!(of("?state=superseded").await, 1);
    assert_eq!(of("?state=superseded&state=planned").await, 6);
    assert_eq!(of("?task_id=3").await, 1);
    assert_eq!(of("?task_id=6").await, 0);
    assert_eq!(of("?from=2100-01-01T00:00:00Z").await, 0);
    assert_eq!(of("?to=2100-01-01T00:00:00Z").await, 6);

    let id = items(&world, &replica, "ada", "?task_id=3").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/reminders/{id}");
    assert_eq!(world.get(&replica, "ada", &path).await.json()["task_id"], 3);
    assert_eq!(
        world.get(&replica, "eve", &path).await.problem(),
        (404, "not_found".to_owned())
    );
    replica.stop().await;
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let world = World::new().await;
    let replica = world.start().await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "state=done",
        "cursor=x",
        "task_id=x",
        "from=now",
        "unknown=1",
        "state=%00",
    ] {
        let answer = world.get(&replica, "ada", &format!("/reminders?{query}")).await;
        assert_eq!(answer.problem(), (400, "invalid_parameter".to_owned()), "{query}");
    }
    for id in ["1", "00000000-0000-0000-0000-000000000000", "%00"] {
        let answer = world.get(&replica, "ada", &format!("/reminders/{id}")).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{id}");
    }
    replica.stop().await;
}

async fn snooze(world: &World, replica: &Replica, user: &str, id: &str, body: &Value) -> crate::world::Answer {
    world
        .send(replica, user, Method::POST, &format!("/reminders/{id}/snooze"), body)
        .await
}

#[tokio::test]
async fn a_reminder_is_put_off_before_and_after_it_was_seen() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut task = Task::in_seconds("ada", 7, 3600);
    world.publish(&[task.is_saved()]).await;
    world.states(7, &["planned"]).await;
    let id = items(&world, &replica, "ada", "").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();

    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2)).to_string();
    let answer = snooze(&world, &replica, "ada", &id, &json!({ "until": soon })).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["generation"].as_i64()),
        (200, Some(2))
    );
    world.states(7, &["superseded", "delivered"]).await;

    let answer = snooze(&world, &replica, "ada", &id, &json!({"minutes": 10})).await;
    assert_eq!(answer.json()["state"], "planned");
    world.states(7, &["superseded", "delivered", "planned"]).await;
    // A change that says nothing new of the time leaves it put off.
    task.title = "Water the garden".to_owned();
    world.publish(&[task.is_saved()]).await;
    replica
        .reaches(r#"events_handled_total{outcome="done",topic="task-events"}"#, 2.0)
        .await;
    world.states(7, &["superseded", "delivered", "planned"]).await;

    world.publish(&[task.is_completed()]).await;
    world.states(7, &["superseded", "delivered", "superseded"]).await;
    let answer = snooze(&world, &replica, "ada", &id, &json!({"minutes": 10})).await;
    assert_eq!(answer.problem(), (409, "conflict".to_owned()));
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_reminder_is_not_put_off_by_others_or_to_nowhere() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish(&[Task::in_seconds("ada", 7, 3600).is_saved()]).await;
    world.states(7, &["planned"]).await;
    let id = items(&world, &replica, "ada", "").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let ten = json!({"minutes": 10});
    assert_eq!(
        snooze(&world, &replica, "eve", &id, &ten).await.problem(),
        (404, "not_found".to_owned())
    );
    for body in [
        json!({}),
        json!({"minutes": 0}),
        json!({"minutes": -1}),
        json!({"minutes": 10, "until": "2100-01-01T00:00:00Z"}),
        json!({"until": "2020-01-01T00:00:00Z"}),
        json!({"until": "tomorrow"}),
        json!({"hours": 1}),
    ] {
        let answer = snooze(&world, &replica, "ada", &id, &body).await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
    }
    world.states(7, &["planned"]).await;
    replica.stop().await;
}
