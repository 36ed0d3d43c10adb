//! The next instance of a recurring task: created once, on command of another service, and taken back by reopening.

use domain::task::transition::ChangeKind;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, Person, id},
    events::{Reader, change},
};

async fn completed(person: &Person<'_>) -> Value {
    let task = person
        .create(&json!({
            "title": "Pay the rent",
            "due": {"kind": "zoned", "local": "2026-01-31T09:00:00", "zone": "Europe/Berlin"},
            "reminders": [{"kind": "before_due", "seconds": 60}, {"kind": "instant", "at": "2026-01-30T00:00:00Z"}],
            "recurrence": {"rule": "FREQ=MONTHLY"},
        }))
        .await;
    person.act(&format!("/tasks/{}/complete", id(&task))).await.expect(200)
}

fn february(task: &Value) -> Value {
    json!({
        "series": task["series"]["id"],
        "occurrence_key": "2026-02-28T09:00:00",
        "ordinal": 2,
        "completed_at": task["completed_at"],
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_created_once_however_often_it_is_commanded() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = completed(&ada).await;
    let command = february(&task);
    let answers = join_all((0..8).map(|_| app.command_occurrence(id(&task), &command))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 200, 201]);
    let new = answers[0].expect(answers[0].status.as_u16())["task_id"]
        .as_i64()
        .unwrap();

    let instance = ada.get(&format!("/tasks/{new}")).await.expect(200);
    assert_eq!(instance["status"], "open");
    assert_eq!(
        instance["due"],
        json!({"kind": "zoned", "local": "2026-02-28T09:00:00", "zone": "Europe/Berlin"})
    );
    assert_eq!(instance["reminders"], json!([{"kind": "before_due", "seconds": 60}]));
    assert_eq!(instance["series"]["ordinal"], 2);
    let events = Reader::of(&app.topics).take(3);
    let told: Vec<_> = events.iter().filter(|event| event.task_id().get() == new).collect();
    assert_eq!(
        told.iter().map(|event| change(event).kind).collect::<Vec<_>>(),
        [ChangeKind::Created]
    );

    // Deleted, it does not come back; nor does the task before get another successor.
    ada.delete(&format!("/tasks/{new}")).await.expect(204);
    let mut other = command.clone();
    other["occurrence_key"] = "2026-03-31T09:00:00".into();
    for command in [&command, &other] {
        assert_eq!(
            app.command_occurrence(id(&task), command).await.expect(200)["task_id"],
            new
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reopening_takes_an_untouched_successor_back() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = completed(&ada).await;
    let path = format!("/tasks/{}", id(&task));
    let next = app.command_occurrence(id(&task), &february(&task)).await.expect(201)["task_id"].clone();

    let reopened = ada.act(&format!("{path}/reopen")).await.expect(200);
    assert_eq!(
        (&reopened["status"], &reopened["completed_at"]),
        (&json!("open"), &Value::Null)
    );
    assert_eq!(ada.get(&format!("/tasks/{next}")).await.problem().0, 404);
    let events = Reader::of(&app.topics).take(5);
    let of_next: Vec<_> = events.iter().filter(|it| json!(it.task_id().get()) == next).collect();
    let kinds: Vec<_> = of_next.iter().map(|it| change(it).kind).collect();
    assert_eq!(kinds, [ChangeKind::Created, ChangeKind::Deleted]);

    // Completed again, it has a successor again; that one was touched, and stays.
    assert_eq!(
        app.command_occurrence(id(&task), &february(&task)).await.problem(),
        (409, "conflict".to_owned())
    );
    let task = ada.act(&format!("{path}/complete")).await.expect(200);
    let next = app.command_occurrence(id(&task), &february(&task)).await.expect(201)["task_id"].clone();
    ada.patch(&format!("/tasks/{next}"), &json!({"priority": "high"}))
        .await
        .expect(200);
    ada.act(&format!("{path}/reopen")).await.expect(200);
    ada.get(&format!("/tasks/{next}")).await.expect(200);
    let task = ada.act(&format!("{path}/complete")).await.expect(200);
    assert_eq!(
        app.command_occurrence(id(&task), &february(&task)).await.expect(200)["task_id"],
        next
    );
}

/// The event of the first completion may be late: the task is what it was at the second.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_follows_from_an_earlier_completion_has_no_effect() {
    let app = App::start().await;
    let ada = app.person("ada");
    let first = completed(&ada).await;
    let path = format!("/tasks/{}", id(&first));
    ada.act(&format!("{path}/reopen")).await.expect(200);
    let counted = json!({"recurrence": {"rule": "FREQ=MONTHLY", "basis": "after_completion"}});
    ada.patch(&path, &counted).await.expect(200);
    let second = ada.act(&format!("{path}/complete")).await.expect(200);
    assert_eq!(second["series"], first["series"], "nothing else tells the two apart");

    let late = app.command_occurrence(id(&first), &february(&first)).await;
    assert_eq!(late.problem(), (409, "conflict".to_owned()));
    let mut march = february(&second);
    march["occurrence_key"] = "2026-03-31T09:00:00".into();
    let next = app.command_occurrence(id(&second), &march).await.expect(201)["task_id"].clone();
    let late = app.command_occurrence(id(&first), &february(&first)).await;
    assert_eq!(late.expect(200)["task_id"], next, "what follows the task is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_completed_task_does_not_end_its_series() {
    let app = App::start().await;
    let ada = app.person("ada");
    // Deleted before anybody has commanded what follows.
    let task = ada
        .create(&json!({
            "title": "Pay the rent",
            "due": {"kind": "zoned", "local": "2126-01-31T09:00:00", "zone": "Europe/Berlin"},
            "recurrence": {"rule": "FREQ=MONTHLY"},
        }))
        .await;
    let path = format!("/tasks/{}", id(&task));
    let task = ada.act(&format!("{path}/complete")).await.expect(200);
    ada.delete(&path).await.expect(204);
    let list = ada.get("/tasks").await.expect(200);
    let next = &list["items"][0];
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&next["due"]["local"], &next["status"]),
        (&json!("2126-02-28T09:00:00"), &json!("open"))
    );
    // Whoever comes late with the command finds it done.
    let mut command = february(&task);
    command["occurrence_key"] = next["due"]["local"].clone();
    let late = app.command_occurrence(id(&task), &command).await.expect(200);
    assert_eq!(late["task_id"], next["id"]);

    // Deleted afterwards, it has one already; open, it has none.
    let task = completed(&ada).await;
    app.command_occurrence(id(&task), &february(&task)).await.expect(201);
    ada.delete(&format!("/tasks/{}", id(&task))).await.expect(204);
    ada.delete(&format!("/tasks/{}", id(next))).await.expect(204);
    let list = ada.get("/tasks").await.expect(200);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_makes_no_sense_is_refused_for_good() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = completed(&ada).await;
    let (path, command) = (id(&task), february(&task));
    let with = |field: &str, value: Value| {
        let mut command = command.clone();
        command[field] = value;
        command
    };
    for (command, status) in [
        (with("series", json!("0197c1a0-0000-7000-8000-000000000001")), 409),
        (with("completed_at", json!("2026-01-31T08:00:00Z")), 409),
        (with("completed_at", json!("2026-01-31T08:00:00")), 422),
        (with("completed_at", Value::Null), 422),
        (with("occurrence_key", json!("2026-01-31T09:00:00")), 409),
        (with("ordinal", json!(1)), 422),
        (with("ordinal", json!(2_147_483_648_u32)), 422),
        (with("series", json!("00000000-0000-0000-0000-000000000000")), 422),
        (with("occurrence_key", json!("2026-02-28")), 422),
        (with("user_id", json!("bob")), 422),
    ] {
        assert_eq!(
            app.command_occurrence(path, &command).await.problem().0,
            status,
            "{command}"
        );
    }
    assert_eq!(
        app.command_occurrence(9_007_199_254_740_991, &command)
            .await
            .problem()
            .0,
        404
    );
    let plain = ada.create(&json!({"title": "Once"})).await;
    assert_eq!(app.command_occurrence(id(&plain), &command).await.problem().0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_cannot_command_instances() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = completed(&ada).await;
    let path = format!("/internal/tasks/{}/occurrences", id(&task));
    assert_eq!(
        ada.post(&path, &february(&task)).await.problem(),
        (404, "route_not_found".to_owned())
    );
    let token = app.issuer.token_for("ada");
    let inside = app
        .client
        .post(format!("http://{}{path}", app.internal))
        .bearer_auth(token);
    assert_eq!(Answer::to(inside.json(&february(&task))).await.problem().0, 401);
}
