//! The description of the routes for people: `GET /openapi.json`.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use service_kit::{Problem, problem::CONTENT_TYPE};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Content, HeaderBuilder, ObjectBuilder, PathItem, Ref, RefOr, ResponseBuilder, Schema, Type,
        path::{Operation, Parameter, ParameterIn},
        schema::AdditionalProperties,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{accounts, batch, history, list, me, recurrence, search, tags, tasks};

/// The document, made from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "TaskFlow",
        description = "Tasks: create, find, complete, repeat. Errors are problems of RFC 9457; every answer names its \
            request in `X-Correlation-Id`. An answer about a task carries its version as a strong entity tag.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        list::list,
        tasks::create,
        batch::run,
        search::search,
        tasks::read,
        tasks::update,
        tasks::delete,
        tasks::complete,
        tasks::reopen,
        tasks::snooze,
        history::history,
        tags::list,
        recurrence::preview,
        me::read,
        me::replace,
        accounts::open,
        accounts::enter,
        read,
    ),
    components(schemas(Problem)),
    security(("token" = [])),
    tags(
        (name = "tasks", description = "What is to be done"),
        (name = "recurrence", description = "What comes back"),
        (name = "me", description = "What the caller has chosen"),
        (name = "accounts", description = "Accounts of a single machine; absent where people come from an issuer of tokens"),
    ),
    modifiers(&Everywhere),
)]
struct Document;

/// The document as it is served.
pub(crate) fn document() -> String {
    let mut json = Document::openapi()
        .to_pretty_json()
        .expect("a document can be written as JSON");
    json.push('\n');
    json
}

/// Describe the routes
#[utoipa::path(
    get, path = "/openapi.json", tag = "me", operation_id = "read_openapi",
    responses((status = 200, description = "This document", content_type = "application/json", body = serde_json::Value)),
    security(()),
)]
pub(super) async fn read() -> Response {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (json, document()).into_response()
}

/// What holds for every route, said once.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
        for name in CLOSED_ENUMS {
            components.schemas.get_mut(*name).into_iter().for_each(close_variants);
        }
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            for (status, description) in refusals(operation) {
                let response = refusal(status, description);
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert(response);
            }
        }
    }
}

/// Enums of requests, whose variants take no other fields; the derivation says so of structs only.
const CLOSED_ENUMS: &[&str] = &["Due", "Operation", "Reminder"];

fn close_variants(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(variants)) = schema else {
        return;
    };
    for variant in &mut variants.items {
        if let RefOr::T(Schema::Object(object)) = variant {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut path.get,
        &mut path.post,
        &mut path.put,
        &mut path.patch,
        &mut path.delete,
    ]
    .into_iter()
    .flatten()
}

/// How an operation may refuse, by what it takes.
fn refusals(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let parameters = operation.parameters.as_deref().unwrap_or_default().iter();
    let parameters: Vec<&Parameter> = parameters
        .filter_map(|it| match it {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .collect();
    let takes = |place: &ParameterIn| parameters.iter().any(|it| it.parameter_in == *place);
    let has = |name| parameters.iter().any(|it| it.name == name);
    let has_body = operation.request_body.is_some();
    let is_private = operation.security.is_none();
    let mut refusals = vec![
        ("500", "Something failed inside the service"),
        (
            "503",
            "The service has too much to do, or something that it needs is away",
        ),
    ];
    let mut add = |applies: bool, status, description| {
        if applies {
            refusals.push((status, description));
        }
    };
    let takes_input = takes(&ParameterIn::Query) || takes(&ParameterIn::Header) || takes(&ParameterIn::Path);
    add(
        takes_input || has_body,
        "400",
        "The request is not well-formed, or a parameter is not valid",
    );
    add(is_private, "401", "The token is missing or not valid");
    add(is_private, "429", "The caller sends more requests than allowed");
    let is_door = has_body && !is_private;
    add(is_door, "401", "No account has this name and password");
    add(is_door, "409", "The name is taken");
    add(is_door, "429", "The name was tried too often");
    add(takes(&ParameterIn::Path), "404", "The caller has no such task");
    add(
        has("If-Match"),
        "412",
        "It was changed in the meantime; `current` is what it is now",
    );
    add(has_body, "408", "The body came too slowly");
    add(has_body, "413", "The body is too large");
    add(has_body, "415", "The body is not declared as JSON in UTF-8");
    add(
        has_body,
        "422",
        "The body has fields that cannot be, or the idempotency key was used for another request",
    );
    add(
        has("Idempotency-Key") && !has_body,
        "422",
        "The idempotency key was used for another request",
    );
    refusals
}

fn refusal(status: &str, description: &str) -> RefOr<openapi::Response> {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new()
        .description(description)
        .content(CONTENT_TYPE, problem);
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let retry_after = HeaderBuilder::new()
        .schema(Some(seconds))
        .description(Some("Seconds to wait"));
    let response = match status {
        "429" | "503" => response.header("Retry-After", retry_after.build()),
        _ => response,
    };
    RefOr::T(response.build())
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut found = 0;
        visit(&document, &mut |reference| {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
            found += 1;
        });
        assert!(found > 50, "{found} references");
    }

    fn visit(value: &Value, see: &mut impl FnMut(&str)) {
        match value {
            Value::Object(members) => {
                members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .into_iter()
                    .for_each(&mut *see);
                members.values().for_each(|member| visit(member, see));
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, see)),
            _ => {}
        }
    }

    #[test]
    fn the_committed_document_is_what_is_served() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/openapi/chat-api.json");
        if env::var("INSTA_UPDATE").as_deref() == Ok("always") {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, document()).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == document(),
            "contracts/openapi/chat-api.json is stale; write it with\n  \
             INSTA_UPDATE=always cargo test -p chat-api --lib openapi"
        );
    }
}
