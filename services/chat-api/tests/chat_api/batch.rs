//! Several things at once.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, id},
    events::Reader,
};

fn statuses(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().expect("a batch has results").iter();
    results
        .map(|result| result["status"].as_u64().expect("a result has a status"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_has_its_own_result() {
    let app = App::start().await;
    let ada = app.person("ada");
    let due = json!({"kind": "floating", "local": "2026-05-01T08:00:00"});
    let tasks = [
        ada.create(&json!({"title": "one", "due": due})).await,
        ada.create(&json!({"title": "two"})).await,
    ];
    let [one, two] = [id(&tasks[0]), id(&tasks[1])];
    let batch = json!({"operations": [
        {"create": {"title": "three"}},
        {"create": {"title": " "}},
        {"update": {"id": one, "if_version": 1, "changes": {"title": "eins"}}},
        {"update": {"id": one, "if_version": 1, "changes": {"title": "uno"}}},
        {"snooze": {"id": one, "to": {"for": "P1D"}}},
        {"snooze": {"id": two, "to": {"for": "P1D"}}},
        {"complete": {"id": two}},
        {"reopen": {"id": two}},
        {"delete": {"id": two}},
        {"complete": {"id": two}},
    ]});
    let answer = ada.post("/tasks/batch", &batch).await.expect(200);
    assert_eq!(statuses(&answer), [201, 422, 200, 412, 200, 409, 200, 200, 204, 404]);
    let results = &answer["results"];
    assert_eq!(results[0]["task"]["title"], "three");
    assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "/title");
    assert_eq!(results[3]["problem"]["current"]["title"], "eins");
    assert_eq!(
        (&results[8]["task"], &results[8]["problem"]),
        (&Value::Null, &Value::Null)
    );
    let read = ada.get(&format!("/tasks/{one}")).await.expect(200);
    assert_eq!((&read["title"], &read["version"]), (&json!("eins"), &json!(3)));
    // What failed told nobody of anything.
    let mut told: Vec<_> = Reader::of(&app.topics)
        .take(8)
        .iter()
        .map(|it| it.task_id().get())
        .collect();
    told.sort_unstable();
    let three = id(&results[0]["task"]);
    assert_eq!(told, [one, one, one, two, two, two, two, three]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_atomic_batch_is_done_whole_or_not_at_all() {
    let app = App::start().await;
    let ada = app.person("ada");
    let task = ada.create(&json!({"title": "one"})).await;
    let batch = |last: i64| {
        json!({"atomic": true, "operations": [
            {"create": {"title": "two"}}, {"complete": {"id": id(&task)}}, {"delete": {"id": last}},
        ]})
    };
    let refused = ada.post("/tasks/batch", &batch(9_007_199_254_740_991)).await;
    assert_eq!(refused.problem(), (409, "conflict".to_owned()));
    assert_eq!(statuses(&refused.expect(409)), [424, 424, 404]);
    let list = ada.get("/tasks").await.expect(200);
    assert_eq!(list["items"], json!([task]), "nothing happened");

    let done = ada.post("/tasks/batch", &batch(id(&task))).await.expect(200);
    assert_eq!(statuses(&done), [201, 200, 204]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_bounded_and_its_faults_are_found_by_their_places() {
    let app = App::start().await;
    let ada = app.person("ada");
    let many = vec![json!({"create": {"title": "x"}}); 101];
    for (body, pointer) in [
        (json!({"operations": []}), "/operations"),
        (json!({"operations": many}), "/operations"),
        (
            json!({"operations": [{"create": {"title": 1}}]}),
            "/operations/0/create/title",
        ),
        (
            json!({"operations": [{"complete": {"id": 0}}]}),
            "/operations/0/complete/id",
        ),
        (
            json!({"operations": [{"complete": {"id": 1, "by": "bob"}}]}),
            "/operations/0/complete/by",
        ),
        (json!({"operations": [{"explode": {"id": 1}}]}), "/operations/0"),
        (json!({"operations": [{"complete": {"id": 1}}], "user": "bob"}), "/user"),
    ] {
        let refused = ada.post("/tasks/batch", &body).await;
        assert_eq!(refused.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_meet_never_lock_each_other_out() {
    let app = App::start().await;
    let ada = app.person("ada");
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(id(&ada.create(&json!({"title": number.to_string()})).await));
    }
    let backwards: Vec<i64> = ids.iter().rev().copied().collect();
    let update = |id: &i64| json!({"update": {"id": id, "changes": {"description": "x"}}});
    let rounds = (0..24).map(|round| {
        let order = if round % 2 == 0 { &ids } else { &backwards };
        let priority = if round % 3 == 0 { "high" } else { "low" };
        let mut operations: Vec<Value> = order.iter().map(update).collect();
        operations.push(json!({"update": {"id": order[0], "changes": {"priority": priority}}}));
        let batch = ada
            .request(Method::POST, "/tasks/batch")
            .json(&json!({"operations": operations}));
        Answer::to(batch)
    });
    let single = ids
        .iter()
        .map(|id| Answer::to(ada.request(Method::POST, &format!("/tasks/{id}/complete"))));
    let (batches, singles) = tokio::join!(join_all(rounds), join_all(single));
    for answer in batches.iter().chain(&singles) {
        let answer = answer.expect(200);
        assert!(
            answer.get("results").is_none() || statuses(&answer).iter().all(|it| *it == 200),
            "{answer}"
        );
    }
}
