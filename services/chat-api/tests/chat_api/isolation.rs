//! Two people, every route: what belongs to one is not there for the other.

use catalogue::{Access, Method, RoutePort, services::CHAT_API};
use serde_json::{Value, json};

use crate::app::{Answer, App, Person, id};

/// What the other person gets.
enum Expected {
    /// Not found: the route names a task.
    NotFound,
    /// Nothing of the owner is in the answer.
    NothingOfTheirs,
}

/// Each route for people, with a body where it takes one. A new route has to be added here.
fn request(method: Method, path: &str, task: i64) -> (Expected, Option<Value>) {
    use Expected::{NotFound, NothingOfTheirs};
    let due = json!({"kind": "floating", "local": "2026-05-01T08:00:00"});
    match (method.as_str(), path) {
        ("PATCH", "/tasks/{id}") => (NotFound, Some(json!({"title": "mine now"}))),
        ("GET" | "DELETE", "/tasks/{id}")
        | ("GET", "/tasks/{id}/history")
        | ("POST", "/tasks/{id}/complete" | "/tasks/{id}/reopen") => (NotFound, None),
        ("POST", "/tasks/{id}/snooze") => (NotFound, Some(json!({"for": "P1D"}))),
        ("POST", "/tasks") => (NothingOfTheirs, Some(json!({"title": "of bob"}))),
        ("POST", "/tasks/batch") => {
            let operations = json!([{"complete": {"id": task}}, {"delete": {"id": task}}]);
            (NothingOfTheirs, Some(json!({"operations": operations})))
        }
        ("GET", "/tasks" | "/tasks/search" | "/tags" | "/me") => (NothingOfTheirs, None),
        ("PUT", "/me") => {
            let chosen = json!({"time_zone": "Asia/Tokyo", "language": "en", "channels": []});
            (NothingOfTheirs, Some(chosen))
        }
        ("POST", "/recurrence/preview") => {
            let preview = json!({"recurrence": {"rule": "FREQ=DAILY"}, "due": due});
            (NothingOfTheirs, Some(preview))
        }
        other => panic!("nobody has said what the other person gets from {other:?}"),
    }
}

async fn ask(person: &Person<'_>, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let method = method.as_str().parse().expect("it is a method");
    let request = person.request(method, path).header("x-correlation-id", "of-bob");
    Answer::to(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_changes_what_belongs_to_another() {
    let app = App::start().await;
    let (ada, bob) = (app.person("ada"), app.person("bob"));
    let secret = json!({
        "title": "Secret plan", "description": "secret", "tags": ["secret"],
        "due": {"kind": "floating", "local": "2026-05-01T08:00:00"},
    });
    let task = ada.create(&secret).await;
    let path = format!("/tasks/{}", id(&task));
    let profile = ada.get("/me").await.expect(200);

    let people = CHAT_API
        .routes
        .iter()
        .filter(|it| it.access == Access::User && it.port == RoutePort::Http);
    let mut asked = 0;
    for route in people {
        let (expected, body) = request(route.method, route.path, id(&task));
        let query = if route.path == "/tasks/search" { "?q=plan" } else { "" };
        let at = format!("{}{query}", route.path.replace("{id}", &id(&task).to_string()));
        let answer = ask(&bob, route.method, &at, body.as_ref()).await;
        match expected {
            Expected::NotFound => assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{route:?}"),
            Expected::NothingOfTheirs => {
                assert!(answer.status.is_success(), "{route:?}: {answer:?}");
                let text = answer.text.to_lowercase();
                assert!(!text.contains("secret") && !text.contains("ada"), "{route:?}: {text}");
            }
        }
        asked += 1;
    }
    assert!(asked >= 15, "{asked} routes");
    assert_eq!(ada.get(&path).await.expect(200), task, "nothing has changed");
    assert_eq!(ada.get("/me").await.expect(200), profile);
    let history = ada.get(&format!("{path}/history")).await.expect(200);
    assert_eq!(history["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_task_and_one_of_another_look_alike() {
    let app = App::start().await;
    let (ada, bob) = (app.person("ada"), app.person("bob"));
    let task = ada.create(&json!({"title": "hers"})).await;
    let problem = async |number: i64| {
        let mut problem = bob.get(&format!("/tasks/{number}")).await.expect(404);
        problem["trace_id"].take();
        problem
    };
    assert_eq!(problem(id(&task)).await, problem(9_007_199_254_740_991).await);
}
