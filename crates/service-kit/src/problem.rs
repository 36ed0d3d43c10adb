//! What a client gets when a request fails: RFC 9457 `application/problem+json`.
//!
//! A [`Problem`] is built from a [`Code`] of the one table in [`codes`], says in `detail` what is wrong with this
//! request, and lists in `errors` each place of the input that is at fault. What went wrong inside the service is its
//! cause: logged once, with its whole chain, when the response is made, and never sent.

pub mod codes;
mod fault;
mod wire;

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::telemetry::chain;

pub use codes::Code;
pub use fault::{Fault, FieldError, Place};

/// Media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";
/// What the `type` of a problem begins with; the name of its code follows.
pub const TYPE_PREFIX: &str = "https://taskflow.dev/problems/";

/// Errors of any kind, as the cause of a problem.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a request failed, for the client; and its cause, for the log.
pub struct Problem(Box<Parts>);

struct Parts {
    code: &'static Code,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    extensions: Vec<(&'static str, Value)>,
    headers: HeaderMap,
    cause: Option<Cause>,
}

impl Problem {
    /// A problem with this code and nothing more to say.
    #[must_use]
    pub fn new(code: &'static Code) -> Self {
        Self(Box::new(Parts {
            code,
            detail: None,
            errors: Vec::new(),
            extensions: Vec::new(),
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// A failure that is not the client's: 500, with a detail that tells nothing of the inside.
    #[must_use]
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(&codes::INTERNAL).caused_by(cause)
    }

    /// Something that the request needs is away: 503, to be tried again after `retry_after`.
    #[must_use]
    pub fn unavailable(cause: impl Into<Cause>, retry_after: Duration) -> Self {
        Self::new(&codes::UNAVAILABLE).retry_after(retry_after).caused_by(cause)
    }

    /// Says in one sentence what is wrong with this request. Codes of 500 and above keep their own sentence, so that
    /// nothing of the inside can leak through it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds a place of the input that is at fault.
    #[must_use]
    pub fn at(mut self, error: FieldError) -> Self {
        self.0.errors.push(error);
        self
    }

    /// Adds a member of its own to the problem, such as the current representation to a failed precondition.
    ///
    /// # Panics
    /// When the name is one of the members that every problem has: a bug.
    #[must_use]
    pub fn member(mut self, name: &'static str, value: Value) -> Self {
        assert!(!wire::MEMBERS.contains(&name), "`{name}` is a member of every problem");
        self.0.extensions.push((name, value));
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Tells the client when to try again, in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Keeps the cause for the log; the client never sees it.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The code, for metrics and for callers that branch on it.
    #[must_use]
    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.code.status
    }

    /// The places of the input that are at fault.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The problem as it is sent, for a place that carries problems inside something else, such as the items of a batch.
    #[must_use]
    pub fn to_json(&self) -> Value {
        wire::to_json(self)
    }

    /// Logs the cause, if there is one. Making the response does so already; only a problem that becomes no response
    /// of its own needs this.
    pub fn log(&self) {
        let Some(cause) = &self.0.cause else { return };
        let (code, error) = (self.code().name, chain(cause.as_ref()));
        if self.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(problem.code = code, error, "request failed: {error}");
        } else {
            tracing::warn!(problem.code = code, error, "request refused: {error}");
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Problem")
            .field("code", &self.0.code.name)
            .field("detail", &self.0.detail)
            .field("errors", &self.0.errors)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.log();
        let body = self.to_json().to_string();
        let status = self.status();
        let mut headers = self.0.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        (status, headers, body).into_response()
    }
}

/// Answers what no route matches: 404.
pub async fn route_not_found(request: Request) -> Problem {
    let path = request.uri().path().to_owned();
    Problem::new(&codes::ROUTE_NOT_FOUND).detail(format!("There is nothing at `{path}`."))
}

/// Answers a route that is asked with a method that it does not have: 405. axum adds the header `Allow`.
pub async fn method_not_allowed(request: Request) -> Problem {
    let method = request.method().clone();
    Problem::new(&codes::METHOD_NOT_ALLOWED).detail(format!("`{method}` is not possible here; see the header `Allow`."))
}

#[cfg(test)]
mod tests;
