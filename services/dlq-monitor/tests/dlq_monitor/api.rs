//! Who may do what, and what is refused.

use catalogue::{Access, services::DLQ_MONITOR};
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{Answer, World, client};

const ID: &str = "0197c1a0-0000-7000-8000-000000000001";

#[tokio::test]
async fn nobody_gets_in_without_the_scope_of_the_route() {
    let world = World::new().await;
    let replica = world.start().await;
    for route in DLQ_MONITOR.routes {
        let Access::Operator(scope) = route.access else {
            panic!("{route:?} is not for operators");
        };
        let other = if scope.ends_with("read") {
            "dead-letters:resolve"
        } else {
            "dead-letters:read"
        };
        let url = format!("http://{}{}", replica.public, route.path.replace("{id}", ID));
        for scopes in ["", "tasks", other] {
            let method: Method = route.method.as_str().parse().unwrap();
            let request = client()
                .request(method, &url)
                .bearer_auth(world.token(scopes))
                .json(&json!({}));
            let answer = Answer::to(request).await;
            assert_eq!(
                answer.problem(),
                (403, "insufficient_scope".to_owned()),
                "{route:?} {scopes}"
            );
        }
    }
    assert_eq!(world.count("select count(*) from dlq.action").await, 0);
    replica.stop().await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_leaves_no_trace() {
    let world = World::new().await;
    let replica = world.start().await;
    let all = json!({"all": true});
    let cases: Vec<(&str, Value, &str)> = vec![
        ("replay", json!({}), "/selection"),
        ("replay", json!({"selection": {}}), "/selection"),
        ("replay", json!({"selection": {"limit": 5}}), "/selection"),
        (
            "replay",
            json!({"selection": {"all": true, "topic": "reminders"}}),
            "/selection/all",
        ),
        (
            "replay",
            json!({"selection": {"all": true, "limit": 0}}),
            "/selection/limit",
        ),
        ("replay", json!({"selection": {"ids": ["x"]}}), "/selection/ids/0"),
        ("replay", json!({"selection": {"every": true}}), "/selection/every"),
        (
            "replay",
            json!({"selection": all, "rate_per_second": 0}),
            "/rate_per_second",
        ),
        ("replay", json!({"selection": all, "note": "x".repeat(501)}), "/note"),
        ("dry-run", json!({"selection": {}}), "/selection"),
        ("discard", json!({"selection": all}), "/reason"),
        ("discard", json!({"selection": all, "reason": "  "}), "/reason"),
    ];
    for (what, body, pointer) in cases {
        let answer = world
            .asks(&replica, Method::POST, &format!("/dead-letters/{what}"), Some(&body))
            .await;
        assert_eq!(answer.problem(), (422, "invalid_body".to_owned()), "{body}");
        assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{body}: {answer:?}");
    }
    for path in [
        "?limit=0",
        "?limit=201",
        "?state=lost",
        "?after=x",
        "?task_id=a",
        "?other=1",
        "/x",
    ] {
        let answer = world
            .asks(&replica, Method::GET, &format!("/dead-letters{path}"), None)
            .await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{path}: {answer:?}");
    }
    for path in [format!("/dead-letters/{ID}"), format!("/dead-letters/actions/{ID}")] {
        let answer = world.asks(&replica, Method::GET, &path, None).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()));
    }
    assert_eq!(world.count("select count(*) from dlq.action").await, 0);
    replica.stop().await;
}

#[tokio::test]
async fn every_action_is_on_record_with_who_did_it() {
    let world = World::new().await;
    let replica = world.start().await;
    world
        .put(catalogue::topics::TASK_EVENTS_DLQ, Some(b"7"), Some(b"{"), &[])
        .await;
    world.letters("waiting", 1).await;
    let all = json!({"all": true});
    world
        .asks(
            &replica,
            Method::POST,
            "/dead-letters/dry-run",
            Some(&json!({"selection": all})),
        )
        .await;
    world
        .replays(&replica, &json!({"selection": all, "note": "mended"}))
        .await;
    let (code, printed) = world
        .types(&["discard", "--reason", "unknown", "--because", "a test"])
        .await;
    assert_eq!(code, 0, "{printed}");
    let actions = world.get(&replica, "/dead-letters/actions").await;
    let told: Vec<Value> = actions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["kind"], it["actor"], it["asked"], it["note"], it["outcomes"]]))
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["discard", "cli:grace", {"reason": "unknown"}, "a test", {"discarded": 1}],
            ["replay", "grace", {"all": true}, "mended", {"schema": 1}],
            ["dry_run", "grace", {"all": true}, null, {"schema": 1}],
        ])
    );
    let letters = world.get(&replica, "/dead-letters?state=discarded").await;
    let shown = world
        .get(
            &replica,
            &format!("/dead-letters/{}", letters["items"][0]["id"].as_str().unwrap()),
        )
        .await;
    let history = shown["history"].as_array().unwrap();
    assert_eq!(
        history.iter().map(|it| it["outcome"].clone()).collect::<Vec<_>>(),
        ["schema", "discarded"]
    );
    replica.stop().await;
}

#[tokio::test]
async fn the_command_line_says_what_it_needs() {
    let world = World::new().await;
    let (code, printed) = world.types(&["replay"]).await;
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("`--all`"), "{printed}");
    let (code, printed) = world.types(&["discard", "--all"]).await;
    assert_eq!(code, 2, "{printed}");
    let (code, printed) = world.types(&["show", ID]).await;
    assert_eq!(code, 2, "{printed}");
    let (code, printed) = world.types(&["stats", "--json"]).await;
    let counted: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((code, &counted[0]["depth"]), (0, &json!(0)));
}
