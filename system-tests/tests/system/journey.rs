//! What a person sees: a task, its next instance, its trail, and nothing of anybody else's.

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{Facts, Person, World, invariants, person::Ask, world::PATIENCE};
use test_kit::wait_until;

/// Waits until the record of the task has entries for these kinds of change; given back are they.
async fn trail(person: &Person, task: i64, kinds: &[&str]) -> Vec<Value> {
    let what = format!("the trail of task {task} has {kinds:?}");
    wait_until(&what, PATIENCE, async || {
        let trail = person.audit(&format!("/tasks/{task}/audit")).await;
        let entries = trail.body["entries"].as_array().cloned().unwrap_or_default();
        let told: Vec<_> = entries.iter().map(|it| &it["event"]["data"]["event_type"]).collect();
        if told == kinds {
            Ok(entries)
        } else {
            Err(format!("{} {told:?}", trail.status))
        }
    })
    .await
}

/// The tasks that a search finds.
async fn found(person: &Person, query: &str) -> Vec<i64> {
    let answer = person.get(&format!("/tasks/search?q={query}")).await;
    let items = answer.expect(200)["items"].as_array().expect("there is a list");
    items
        .iter()
        .filter_map(|it| it["id"].as_i64().or(it["task"]["id"].as_i64()))
        .collect()
}

/// Waits until the person has so many tasks; given back are they, oldest first.
async fn tasks(person: &Person, count: usize) -> Vec<Value> {
    wait_until(&format!("there are {count} tasks"), PATIENCE, async || {
        let list = person.get("/tasks?sort=created").await;
        match list.expect(200)["items"].as_array() {
            Some(items) if items.len() == count => Ok(items.clone()),
            items => Err(format!("{items:?}")),
        }
    })
    .await
}

fn number(task: &Value) -> i64 {
    task["id"].as_i64().unwrap_or_else(|| panic!("no task: {task}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recurring_task_comes_again_once_and_leaves_a_trail_that_only_its_person_sees() {
    let world = World::start().await;
    let (ada, bob) = (world.person("ada"), world.person("bob"));
    let rent = json!({
        "title": "Pay the rent",
        "due": {"kind": "zoned", "local": "2031-01-31T09:00:00", "zone": "Europe/Berlin"},
        "recurrence": {"rule": "FREQ=MONTHLY"},
    });
    let task = number(ada.post("/tasks", rent).await.expect(201));
    trail(&ada, task, &["created"]).await;
    assert_eq!(found(&ada, "rent").await, [task]);

    // Completed twice, it has one successor.
    for _ in 0..2 {
        ada.act(&format!("/tasks/{task}/complete")).await.expect(200);
    }
    let next = tasks(&ada, 2).await.remove(1);
    assert_eq!(next["due"]["local"], "2031-02-28T09:00:00");
    assert_eq!(
        (&next["status"], &next["series"]["ordinal"]),
        (&json!("open"), &json!(2))
    );
    let next = number(&next);
    let entries = trail(&ada, task, &["created", "completed"]).await;
    assert_eq!(entries[1]["previous_hash"], entries[0]["hash"]);
    trail(&ada, next, &["created"]).await;
    world.drained().await;
    assert_eq!(found(&ada, "rent").await.len(), 2);

    nothing_is_seen_by(&bob, &[task, next]).await;

    // Reopened, it takes the untouched successor back; completed again, it has another.
    ada.act(&format!("/tasks/{task}/reopen")).await.expect(200);
    assert_eq!(number(&tasks(&ada, 1).await[0]), task);
    trail(&ada, next, &["created", "deleted"]).await;
    ada.act(&format!("/tasks/{task}/complete")).await.expect(200);
    let again = number(&tasks(&ada, 2).await[1]);
    assert_ne!(again, next);
    trail(&ada, task, &["created", "completed", "updated", "completed"]).await;
    world.drained().await;
    let facts = Facts::gather(&world).await;
    assert_eq!(facts.successors, [(task, again)]);
    assert_eq!(facts.dead_letters, 0);
    // Nobody has kept a ledger here; all else holds.
    let broken = invariants::broken(&facts, &system_tests::Ledger::default());
    assert!(broken.iter().all(|it| it.starts_with("nobody knows of")), "{broken:#?}");
}

async fn nothing_is_seen_by(bob: &Person, tasks: &[i64]) {
    let own = number(bob.post("/tasks", json!({"title": "Pay bob's rent"})).await.expect(201));
    trail(bob, own, &["created"]).await;
    assert_eq!(found(bob, "rent").await, [own]);
    let list = bob.get("/tasks").await;
    assert_eq!(list.expect(200)["items"].as_array().map(Vec::len), Some(1));
    let export = bob.audit("/audit/export").await;
    assert_eq!(
        (export.status, &export.body["task_id"]),
        (200, &json!(own)),
        "one line, and a line is JSON"
    );
    for task in tasks {
        for path in [format!("/tasks/{task}"), format!("/tasks/{task}/history")] {
            bob.get(&path).await.expect(404);
        }
        assert_eq!(bob.audit(&format!("/tasks/{task}/audit")).await.status, 404);
        for verb in ["complete", "reopen"] {
            bob.act(&format!("/tasks/{task}/{verb}")).await.expect(404);
        }
        let delete = Ask::new(Method::DELETE, format!("/tasks/{task}"));
        bob.ask(&delete).await.expect(404);
    }
}

/// A late news of a completion that was taken back decides nothing: the last completion does.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_completion_decides_what_follows() {
    let world = World::start().await;
    let ada = world.person("ada");
    let task = daily(&ada).await;
    // Nobody hears of what comes now until it is all done.
    world.core.recurring_tasks.process.freeze();
    ada.act(&format!("/tasks/{task}/complete")).await.expect(200);
    ada.act(&format!("/tasks/{task}/reopen")).await.expect(200);
    let not_tomorrow = json!({"recurrence": {"rule": "FREQ=DAILY", "exceptions": ["2031-03-02T09:00:00"]}});
    let patch = Ask::new(Method::PATCH, format!("/tasks/{task}")).body(not_tomorrow);
    ada.ask(&patch).await.expect(200);
    ada.act(&format!("/tasks/{task}/complete")).await.expect(200);
    world.core.recurring_tasks.process.thaw();

    world.drained().await;
    let all = tasks(&ada, 2).await;
    assert_eq!(all[1]["due"]["local"], "2031-03-03T09:00:00", "{:#}", json!(all));
    let facts = Facts::gather(&world).await;
    assert_eq!((facts.successors.len(), facts.dead_letters), (1, 0));
}

/// A series does not end because its completed instance is deleted before anybody has heard of the completion.
#[tokio::test(flavor = "multi_thread")]
async fn a_completed_task_that_is_deleted_at_once_comes_again() {
    let world = World::start().await;
    let ada = world.person("ada");
    let task = daily(&ada).await;
    world.core.recurring_tasks.process.freeze();
    ada.act(&format!("/tasks/{task}/complete")).await.expect(200);
    let delete = Ask::new(Method::DELETE, format!("/tasks/{task}"));
    ada.ask(&delete).await.expect(204);
    world.core.recurring_tasks.process.thaw();

    world.drained().await;
    let all = tasks(&ada, 1).await;
    assert_eq!(all[0]["due"]["local"], "2031-03-02T09:00:00", "{:#}", json!(all));
    let facts = Facts::gather(&world).await;
    assert_eq!((facts.successors.len(), facts.dead_letters), (1, 0));
}

/// Creates a task that comes again each day.
async fn daily(person: &Person) -> i64 {
    let body = json!({
        "title": "Water the plants",
        "due": {"kind": "zoned", "local": "2031-03-01T09:00:00", "zone": "Europe/Berlin"},
        "recurrence": {"rule": "FREQ=DAILY"},
    });
    number(person.post("/tasks", body).await.expect(201))
}
