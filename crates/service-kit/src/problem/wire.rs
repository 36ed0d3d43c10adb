//! The JSON form of a problem.

use std::borrow::Cow;

use opentelemetry::trace::TraceContextExt as _;
use serde::Serialize;
use serde_json::Value;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{Fault, FieldError, Place, Problem, TYPE_PREFIX};

/// The members that every problem may have.
pub(super) const MEMBERS: &[&str] = &["type", "title", "status", "code", "detail", "trace_id", "errors"];

/// Why a request failed (RFC 9457). Some codes add members of their own.
#[derive(Serialize, ToSchema)]
struct Body<'a> {
    /// Identifies the kind of problem; ends in the code.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    kind: String,
    /// The kind of problem in a few words.
    title: &'a str,
    /// Status of the response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The kind of problem, for programs.
    code: &'a str,
    /// What is wrong with this request.
    detail: &'a str,
    /// Names this request in logs and traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false, pattern = "^[0-9a-f]{32}$")]
    trace_id: Option<String>,
    /// Each place of the input that is at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<WireError<'a>>,
}

/// A place of the input and what is wrong there. Exactly one of `pointer`, `parameter` and `header` is given.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemError)]
struct WireError<'a> {
    /// JSON pointer (RFC 6901) into the body; empty for the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pointer: Option<&'a str>,
    /// Name of a parameter of the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    parameter: Option<&'a str>,
    /// Name of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    header: Option<&'a str>,
    /// What is wrong, for programs, such as `out_of_range`.
    #[schema(value_type = String)]
    code: Fault,
    /// What is wrong, for people: follows the place in a sentence.
    message: &'a str,
}

impl<'a> From<&'a FieldError> for WireError<'a> {
    fn from(error: &'a FieldError) -> Self {
        let (mut pointer, mut parameter, mut header) = (None, None, None);
        match &error.place {
            Place::Pointer(to) => pointer = Some(to.as_str()),
            Place::Parameter(name) => parameter = Some(name.as_str()),
            Place::Header(name) => header = Some(name.as_str()),
        }
        Self {
            pointer,
            parameter,
            header,
            code: error.code,
            message: &error.message,
        }
    }
}

pub(super) fn to_json(problem: &Problem) -> Value {
    let parts = &problem.0;
    let detail = parts.detail.as_deref().filter(|_| !problem.status().is_server_error());
    let body = Body {
        kind: format!("{TYPE_PREFIX}{}", parts.code.name),
        title: parts.code.title,
        status: parts.code.status.as_u16(),
        code: parts.code.name,
        detail: detail.unwrap_or(parts.code.help),
        trace_id: trace_id(),
        errors: parts.errors.iter().map(WireError::from).collect(),
    };
    let mut json = serde_json::to_value(body).expect("a problem holds text and numbers only");
    for (name, value) in &parts.extensions {
        json[*name] = value.clone();
    }
    json
}

/// The trace that the request belongs to; `None` where nothing is traced.
fn trace_id() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Body::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Problem")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Body::schemas(schemas);
    }
}
