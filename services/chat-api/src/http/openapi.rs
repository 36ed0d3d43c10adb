//! The description of the routes for people: `GET /openapi.json`.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use service_kit::{
    Problem,
    openapi::{Everywhere, text as openapi_text},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{self, RefOr, Schema, schema::AdditionalProperties},
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
    modifiers(&Everywhere, &Closed),
)]
struct Document;

/// The document as it is served.
pub(crate) fn document() -> String {
    openapi_text(&Document::openapi())
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

/// Closes what the derivation leaves open.
struct Closed;

impl Modify for Closed {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for name in CLOSED_ENUMS {
            components.schemas.get_mut(*name).into_iter().for_each(close_variants);
        }
    }
}

/// Enums of requests, whose variants take no other fields; the derivation says so of structs only.
const CLOSED_ENUMS: &[&str] = &["Due", "Operation", "Reminder", "Snooze"];

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
