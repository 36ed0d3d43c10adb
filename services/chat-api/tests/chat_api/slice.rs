//! From a request to its event.

use domain::task::transition::ChangeKind;
use serde_json::json;

use crate::{
    app::{App, id},
    events::{Reader, change},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_created_and_completed_task_is_told_to_everyone() {
    let app = App::start().await;
    let ada = app.person("ada");
    let created = ada
        .post(
            "/tasks",
            &json!({
                "title": "  Pay the rent ",
                "priority": "high",
                "tags": ["Home", "money"],
                "due": {"kind": "zoned", "local": "2026-01-31T09:00:00", "zone": "europe/berlin"},
                "reminders": [{"kind": "before_due", "seconds": 3600}],
                "recurrence": {"rule": "FREQ=MONTHLY"},
            }),
        )
        .await;
    let task = created.expect(201);
    assert_eq!(created.header("etag"), "\"1\"");
    assert_eq!(created.header("location"), format!("/tasks/{}", id(&task)));
    assert_eq!(task["title"], "Pay the rent");
    assert_eq!(task["tags"], json!(["home", "money"]));
    assert_eq!(task["due"]["zone"], "Europe/Berlin");
    assert_eq!(task["recurrence"]["anchor"], "2026-01-31T09:00:00");
    assert_eq!(task["series"]["ordinal"], 1);
    assert_eq!(task["version"], 1);

    let path = format!("/tasks/{}", id(&task));
    let read = ada.get(&path).await;
    assert_eq!((read.expect(200), read.header("etag")), (task.clone(), "\"1\""));

    let completed = ada.act(&format!("{path}/complete")).await;
    assert_eq!(completed.header("etag"), "\"2\"");
    let completed = completed.expect(200);
    assert_eq!(completed["status"], "completed");
    assert_eq!(completed["completed_at"], completed["updated_at"]);
    // Completing it again changes nothing.
    assert_eq!(ada.act(&format!("{path}/complete")).await.expect(200), completed);

    let events = Reader::of(&app.topics).take(2);
    let told: Vec<_> = events.iter().map(|it| (change(it).kind, it.sequence().get())).collect();
    assert_eq!(told, [(ChangeKind::Created, 1), (ChangeKind::Completed, 2)]);
    for (event, (said, sequence)) in events.iter().zip([(&task, 1), (&completed, 2)]) {
        let snapshot = serde_json::to_value(&change(event).snapshot).unwrap();
        for (name, value) in snapshot.as_object().unwrap() {
            let same = name == "time_zone" || said[name] == *value;
            assert!(
                same,
                "`{name}` is {value} in the event and {} in the answer",
                said[name]
            );
        }
        assert_eq!(change(event).user_sequence.get(), sequence);
    }
}
