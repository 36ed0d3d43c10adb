use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, OptionalFromRequest, Request, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;

use super::{
    document::{Document, Malformed},
    mismatch::Mismatch,
};
use crate::problem::{FieldError, Problem, codes};

/// How long a body may take to arrive. Together with the limit of its size it bounds what a slow client can hold.
pub const BODY_TIME: Duration = Duration::from_secs(5);

/// A JSON body: read with all checks of this module, or written.
///
/// As `Option<Json<T>>` it is `None` where the request has neither a body nor a content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        parse_json(&read_json(request, state).await?).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let declared = request.headers().contains_key(header::CONTENT_TYPE);
        let empty = axum::body::HttpBody::is_end_stream(request.body());
        if !declared && empty {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, json)], body).into_response(),
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

/// Reads a body that is declared as JSON, without looking at it: for callers that also need its bytes.
///
/// # Errors
/// Another or no declared type (415), a body over the route's limit (413) or slower than [`BODY_TIME`] (408).
pub async fn read_json<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    read_within(request, state, BODY_TIME).await
}

async fn read_within<S: Send + Sync>(request: Request, state: &S, time: Duration) -> Result<Bytes, Problem> {
    declares_json(request.headers())?;
    match timeout(time, Bytes::from_request(request, state)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) => Err(unread(&rejection)),
        Err(_) => Err(closing(Problem::new(&codes::REQUEST_TIMEOUT))),
    }
}

/// Reads the bytes of a body as a `T`.
///
/// # Errors
/// No document (400), or one that is no `T` (422).
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let document = Document::parse(body).map_err(|Malformed { reason, line, column }| {
        Problem::new(&codes::MALFORMED_BODY).detail(format!(
            "The body is not well-formed at line {line}, column {column}: {reason}."
        ))
    })?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let mismatch = Mismatch::from_serde(&error);
        let pointer = mismatch.pointer();
        let place = if pointer.is_empty() {
            "The body"
        } else {
            pointer.as_str()
        };
        Problem::new(&codes::INVALID_BODY)
            .detail(format!("{place} {}.", mismatch.message))
            .at(FieldError::body(pointer, mismatch.fault, mismatch.message))
    })
}

/// Checks `content-type` and `content-encoding`.
fn declares_json(headers: &HeaderMap) -> Result<(), Problem> {
    let coded = headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(Problem::new(&codes::UNSUPPORTED_MEDIA_TYPE)
            .detail("The body must come without content coding.")
            .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")));
    }
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if declared.is_some_and(is_json) {
        return Ok(());
    }
    let detail = match declared {
        Some(other) => format!("The body must be `application/json` in UTF-8, not `{other}`."),
        None => "The header `Content-Type: application/json` is needed.".to_owned(),
    };
    Err(Problem::new(&codes::UNSUPPORTED_MEDIA_TYPE).detail(detail))
}

/// Whether a media type is JSON in UTF-8: `application/json` or `application/…+json`, with no other charset.
fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let json = essence
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"));
    json && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}

/// What a body that could not be read means.
fn unread(rejection: &BytesRejection) -> Problem {
    if rejection.status() == codes::BODY_TOO_LARGE.status {
        return closing(Problem::new(&codes::BODY_TOO_LARGE));
    }
    Problem::new(&codes::MALFORMED_BODY).detail("The body ended before it was whole, or its framing is wrong.")
}

/// Ends the connection: the rest of the body would be taken for the next request.
fn closing(problem: Problem) -> Problem {
    problem.header(header::CONNECTION, HeaderValue::from_static("close"))
}

#[cfg(test)]
mod tests;
