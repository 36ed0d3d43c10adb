//! The description of the routes for people: `GET /openapi.json`.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use service_kit::{
    Problem,
    openapi::{Everywhere, text},
};
use utoipa::OpenApi;

use super::{entry::Entry, export, trail};

/// The document, made from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "TaskFlow, the record",
        description = "What happened to tasks, as a chain of hashes. Errors are problems of RFC 9457; every answer names its \
            request in `X-Correlation-Id`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(trail::show, export::stream, read),
    components(schemas(Problem, Entry)),
    security(("token" = [])),
    tags((name = "record", description = "What happened")),
    modifiers(&Everywhere),
)]
struct Document;

/// Describe the routes
#[utoipa::path(
    get, path = "/openapi.json", tag = "record", operation_id = "read_openapi",
    responses((status = 200, description = "This document", content_type = "application/json", body = serde_json::Value)),
    security(()),
)]
pub(super) async fn read() -> Response {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (json, text(&Document::openapi())).into_response()
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    #[test]
    fn the_committed_document_is_what_is_served() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/openapi/audit.json");
        let served = text(&Document::openapi());
        if env::var("INSTA_UPDATE").as_deref() == Ok("always") {
            fs::write(&path, &served).unwrap();
        }
        assert!(
            fs::read_to_string(&path).unwrap_or_default() == served,
            "contracts/openapi/audit.json is stale; write it with\n  \
             INSTA_UPDATE=always cargo test -p audit --lib openapi"
        );
    }
}
