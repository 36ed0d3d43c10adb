//! What holds for every route of every service, said once in each service's `OpenAPI` document.

use utoipa::{
    Modify,
    openapi::{
        self, Content, HeaderBuilder, ObjectBuilder, PathItem, Ref, RefOr, ResponseBuilder, Type,
        path::{Operation, Parameter, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::problem::CONTENT_TYPE;

/// Adds the tokens of people, and how each operation may refuse. The document brings `Problem` among its schemas.
pub struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            for (status, description) in refusals(operation) {
                let response = refusal(status, description);
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert(response);
            }
        }
    }
}

/// The document as it is served and committed.
///
/// # Panics
/// Never: a document can be written as JSON.
#[must_use]
pub fn text(document: &openapi::OpenApi) -> String {
    let json = document.to_pretty_json();
    json.expect("a document can be written as JSON") + "\n"
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
