//! The description of the routes for people. It is committed and not served: behind the gateway `/openapi.json` is that of
//! chat-api.

use std::{env, fs, path::Path};

use catalogue::{RoutePort, services::NOTIFICATION};
use serde_json::Value;
use service_kit::{Problem, problem::CONTENT_TYPE};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Content, PathItem, Ref, RefOr, ResponseBuilder,
        path::{Operation, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{channels, ledger, snooze};

/// The document, made from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "TaskFlow notifications",
        description = "Reminders and what became of them, and the channels that they take. Errors are problems of RFC 9457; \
            every answer names its request in `X-Correlation-Id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        ledger::list,
        ledger::read,
        snooze::snooze,
        channels::list,
        channels::add,
        channels::replace,
        channels::delete,
        channels::test,
    ),
    components(schemas(Problem)),
    security(("token" = [])),
    tags(
        (name = "reminders", description = "What asks for attention, and what became of it"),
        (name = "channels", description = "Ways by which reminders reach the caller"),
    ),
    modifiers(&Everywhere),
)]
struct Document;

/// What holds for every route, said once.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            for (status, description) in refusals(operation) {
                let problem = Content::new(Some(Ref::from_schema_name("Problem")));
                let response = ResponseBuilder::new()
                    .description(description)
                    .content(CONTENT_TYPE, problem)
                    .build();
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert(RefOr::T(response));
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.post, &mut path.put, &mut path.delete]
        .into_iter()
        .flatten()
}

/// How an operation may refuse, by what it takes.
fn refusals(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let parameters = operation.parameters.as_deref().unwrap_or_default().iter();
    let places: Vec<ParameterIn> = parameters
        .filter_map(|it| match it {
            RefOr::T(parameter) => Some(parameter.parameter_in.clone()),
            RefOr::Ref(_) => None,
        })
        .collect();
    let has_body = operation.request_body.is_some();
    let mut refusals = vec![
        ("401", "The token is missing or not valid"),
        ("429", "The caller sends more requests than allowed"),
        ("500", "Something failed inside the service"),
        (
            "503",
            "The service has too much to do, or something that it needs is away",
        ),
    ];
    if has_body || !places.is_empty() {
        refusals.push(("400", "The request is not well-formed, or a parameter is not valid"));
    }
    if places.contains(&ParameterIn::Path) {
        refusals.push(("404", "The caller has nothing with this id"));
    }
    if has_body {
        refusals.extend([
            ("408", "The body came too slowly"),
            ("413", "The body is too large"),
            ("415", "The body is not declared as JSON in UTF-8"),
            ("422", "The body has fields that cannot be"),
        ]);
    }
    refusals
}

fn document() -> String {
    let mut json = Document::openapi()
        .to_pretty_json()
        .expect("a document can be written as JSON");
    json.push('\n');
    json
}

#[test]
fn the_committed_document_is_what_the_handlers_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/openapi/notification.json");
    if env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(&path, document()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == document(),
        "contracts/openapi/notification.json is stale; write it with\n  \
         INSTA_UPDATE=always cargo test -p notification --lib openapi"
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
    let public = NOTIFICATION.routes.iter().filter(|it| it.port == RoutePort::Http);
    let mut known: Vec<String> = public
        .map(|route| format!("{} {}", route.method.as_str(), route.path))
        .collect();
    described.sort();
    known.sort();
    assert_eq!(described, known);
}
