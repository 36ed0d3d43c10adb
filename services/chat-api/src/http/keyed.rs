//! `Idempotency-Key`: the same request, sent again, has one effect and one answer.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderName, Method, Uri, request::Parts},
};
use serde::de::DeserializeOwned;
use service_kit::{
    Problem,
    extract::{parse_json, read_json},
    problem::{Fault, FieldError, codes},
};
use sha2::{Digest as _, Sha256};
use utoipa::IntoParams;

/// Carries the key.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was recorded before.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The most characters of a key.
const MAX_KEY: usize = 255;

/// A key, with the request that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdempotencyKey {
    pub(crate) key: String,
    /// SHA-256 of method, path and body.
    pub(crate) fingerprint: Vec<u8>,
}

/// `Idempotency-Key`, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "stands for its parameter")]
pub(super) struct IdempotencyKeyHeader {
    /// Makes one request of all with the same key: the effect comes once, and the same answer each time, for a day.
    #[param(
        rename = "Idempotency-Key",
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$"
    )]
    idempotency_key: Option<String>,
}

/// A body, and the key of the request if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Keyed<T> {
    pub(crate) body: T,
    pub(crate) key: Option<IdempotencyKey>,
}

/// The key of a request without a body, if it has one. A body is not looked at.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) Option<IdempotencyKey>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Keyed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let key = read_key(request.headers())?;
        let bytes = read_json(request, state).await?;
        Ok(Self {
            body: parse_json(&bytes)?,
            key: key.map(|key| stand_for(key, &method, &uri, &bytes)),
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let key = read_key(&parts.headers)?;
        Ok(Self(key.map(|key| stand_for(key, &parts.method, &parts.uri, &[]))))
    }
}

fn stand_for(key: String, method: &Method, uri: &Uri, body: &[u8]) -> IdempotencyKey {
    let mut digest = Sha256::new();
    digest.update(format!("{method} {}\n", uri.path()));
    digest.update(body);
    IdempotencyKey {
        key,
        fingerprint: digest.finalize().to_vec(),
    }
}

fn read_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let bytes = value.as_bytes();
    let valid = (1..=MAX_KEY).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(key) if valid && values.next().is_none() => Ok(Some(key.to_owned())),
        _ => {
            let message = "must be given once, with 1 to 255 visible ASCII characters";
            Err(Problem::new(&codes::INVALID_HEADER)
                .detail(format!("The header `{IDEMPOTENCY_KEY}` {message}."))
                .at(FieldError::header(
                    IDEMPOTENCY_KEY.as_str(),
                    Fault::InvalidFormat,
                    message,
                )))
        }
    }
}
