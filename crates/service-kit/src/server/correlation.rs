//! What ties together everything that came of one act of a person.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};
use uuid::Uuid;

/// Header that carries the id in requests and answers.
pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// Longest id that is taken from outside, in bytes.
const MAX_LENGTH: usize = 64;

/// Ties together what came of one act of a person, across services and events: 1 to 64 letters, digits, `-`, `_` or
/// `.` of ASCII. Taken from the request's header, or made anew where that is missing or of another form; every answer
/// names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelationId(Arc<str>);

impl CorrelationId {
    /// The id of a request.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let told = headers.get(CORRELATION_ID).and_then(|value| value.to_str().ok());
        let id = told
            .filter(|id| is_valid(id))
            .map_or_else(|| Uuid::now_v7().to_string().into(), Arc::from);
        Self(id)
    }

    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value of the header.
    #[must_use]
    pub fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("letters and digits can stand in a header")
    }
}

impl<S: Sync> FromRequestParts<S> for CorrelationId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let noted = parts.extensions.get::<Self>().cloned();
        Ok(noted.unwrap_or_else(|| Self::of(&parts.headers)))
    }
}

fn is_valid(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(allowed)
}
