//! The description of the routes for operators. It is committed and not served: behind the gateway `/openapi.json` is that
//! of chat-api.

use std::{env, fs, path::Path};

use catalogue::{RoutePort, services::DLQ_MONITOR};
use serde_json::Value;
use service_kit::{
    Problem,
    openapi::{Everywhere, text},
};
use utoipa::OpenApi;

use super::{act, look};

/// The document, made from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "TaskFlow dead letters",
        description = "Events that a service gave up on: why, and the way back. For operators: looking needs the scope \
            `dead-letters:read`, replaying and discarding `dead-letters:resolve`. Errors are problems of RFC 9457; every \
            answer names its request in `X-Correlation-Id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        look::list,
        look::groups,
        look::statistics,
        look::actions,
        look::action,
        look::show,
        act::dry_run,
        act::replay,
        act::discard,
        act::stop,
    ),
    components(schemas(Problem)),
    security(("token" = [])),
    tags(
        (name = "letters", description = "What was given up"),
        (name = "actions", description = "What was done about it"),
    ),
    modifiers(&Everywhere),
)]
struct Document;

fn document() -> String {
    text(&Document::openapi())
}

#[test]
fn the_committed_document_is_what_the_handlers_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/openapi/dlq-monitor.json");
    if env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(&path, document()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == document(),
        "contracts/openapi/dlq-monitor.json is stale; write it with\n  \
         INSTA_UPDATE=always cargo test -p dlq-monitor --lib openapi"
    );
}

#[test]
fn the_document_describes_the_routes_of_the_catalogue() {
    let document: Value = serde_json::from_str(&document()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let mut described: Vec<String> = paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let public = DLQ_MONITOR.routes.iter().filter(|it| it.port == RoutePort::Http);
    let mut known: Vec<String> = public
        .map(|route| format!("{} {}", route.method.as_str(), route.path))
        .collect();
    described.sort();
    known.sort();
    assert_eq!(described, known);
}
