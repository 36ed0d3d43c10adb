//! What the service answers and tells is what the catalogue says.

use std::collections::BTreeSet;

use catalogue::{Access, Catalogue, RoutePort, paths, services::CHAT_API};
use reqwest::Method;

use crate::app::{Answer, App};

/// Routes that are there only where accounts are kept.
const OF_ACCOUNTS: &[&str] = &[
    "/accounts",
    "/sessions",
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_catalogue_is_served_behind_its_door() {
    let app = App::start().await;
    for route in CHAT_API.routes.iter().filter(|it| !OF_ACCOUNTS.contains(&it.path)) {
        let address = match route.port {
            RoutePort::Http => app.public,
            RoutePort::Internal => app.internal,
        };
        let url = format!("http://{address}{}", route.path.replace("{id}", "1"));
        let method: Method = route.method.as_str().parse().expect("it is a method");
        let answer = Answer::to(app.client.request(method, url)).await;
        match route.access {
            Access::Anyone => assert_eq!(answer.status, 200, "{route:?}"),
            _ => assert_eq!(answer.problem(), (401, "token_missing".to_owned()), "{route:?}"),
        }
    }
    for path in [paths::HEALTH, paths::READY] {
        assert_eq!(
            Answer::to(app.client.get(format!("http://{}{path}", app.public)))
                .await
                .status,
            200
        );
    }
    let events = format!("http://{}{}", app.internal, paths::READY_EVENTS);
    assert_eq!(Answer::to(app.client.get(events)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_the_routes_of_the_catalogue() {
    let app = App::start().await;
    let document = Answer::to(app.client.get(format!("http://{}/openapi.json", app.public)))
        .await
        .expect(200);
    let paths = document["paths"].as_object().expect("a document has paths").iter();
    let described: BTreeSet<String> = paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("a path has methods").keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let public = CHAT_API
        .routes
        .iter()
        .filter(|it| it.port == RoutePort::Http && !it.path.starts_with("/.well-known"));
    let known = public.map(|route| format!("{} {}", route.method.as_str(), route.path));
    assert_eq!(described, known.collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_those_of_the_catalogue() {
    let app = App::start().await;
    let ada = app.person("ada");
    ada.create(&serde_json::json!({"title": "counted"})).await;
    ada.get("/tasks/9007199254740991").await.expect(404);
    ada.act("/tasks/9007199254740991/complete").await.expect(404);
    let counted = app
        .value_of(r#"task_operations_total{operation="create",outcome="succeeded"}"#)
        .await;
    let missed = app
        .value_of(r#"task_operations_total{operation="complete",outcome="not_found"}"#)
        .await;
    assert!(
        (counted - 1.0).abs() < f64::EPSILON && (missed - 1.0).abs() < f64::EPSILON,
        "{counted}, {missed}"
    );

    let metrics = Answer::to(app.client.get(format!("http://{}/metrics", app.metrics))).await;
    let told = metrics
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let told: BTreeSet<&str> = told.collect();
    let catalogue = Catalogue::taskflow();
    let known: BTreeSet<&str> = catalogue
        .metrics_of(CHAT_API.app_id)
        .map(|metric| metric.name)
        .collect();
    assert_eq!(told, known);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_dapr_both_tokens_are_needed() {
    let keys = test_kit::keys::ed25519();
    let environment = |dapr: &[(&'static str, &str)]| {
        let usual = [
            ("TASKFLOW_DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing"),
            ("TASKFLOW_BUS", "dapr"),
            ("TASKFLOW_OIDC_ISSUER", "https://issuer.example"),
            ("TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY", &keys.public),
        ];
        let all = usual.iter().chain(dapr);
        all.map(|(name, value)| (*name, (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    let both = [("DAPR_API_TOKEN", "a"), ("APP_API_TOKEN", "b")];
    for (tokens, code) in [(&both[..1], 2), (&both[..], 0)] {
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_chat-api"));
        let mut service = test_kit::Service::start(program, &["check-config"], environment(tokens));
        let exit = service.exit(crate::app::PATIENCE).await;
        assert_eq!(exit.code(), Some(code), "{:?}", service.lines());
    }
}

#[test]
fn the_outbox_is_the_one_that_the_relay_reads() {
    let migration = include_str!("../../migrations/0001_tasks.sql");
    assert!(migration.contains(outbox::ddl(&catalogue::database::CHAT).trim()));
}
