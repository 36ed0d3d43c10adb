//! Pages of the ledger: how many entries, and where one begins.

use axum::http::{HeaderValue, Uri};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use service_kit::{
    Problem,
    problem::{Fault, FieldError, codes},
};
use uuid::Uuid;

/// Entries on a page where the request says nothing.
const DEFAULT_LIMIT: u16 = 50;
/// Entries on a page at the most.
const MAX_LIMIT: u16 = 200;

/// Behind which entry a page begins.
pub(super) type Position = (Timestamp, Uuid, i32);

/// How many entries a page holds.
pub(super) fn limit(asked: Option<u16>) -> Result<i64, Problem> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit.into());
    }
    Err(refuse("limit", Fault::OutOfRange, "must be an integer from 1 to 200"))
}

/// The position as clients hand it back: opaque, and fit for a query.
pub(super) fn cursor(position: &Position) -> Result<String, Problem> {
    let json = serde_json::to_vec(position).map_err(Problem::internal)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(json))
}

/// The position that a cursor stands for.
pub(super) fn read_cursor(cursor: &str) -> Result<Position, Problem> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    let position = json.and_then(|json| serde_json::from_slice(&json).ok());
    position.ok_or_else(|| {
        refuse(
            "cursor",
            Fault::InvalidFormat,
            "must be the `next` of a page of the same list",
        )
    })
}

/// Refuses a parameter of the query.
pub(super) fn refuse(name: &'static str, fault: Fault, message: &'static str) -> Problem {
    Problem::new(&codes::INVALID_PARAMETER)
        .detail(format!("Parameter `{name}` {message}."))
        .at(FieldError::parameter(name, fault, message))
}

/// Refuses a field of the body.
pub(super) fn refuse_field(pointer: &'static str, fault: Fault, message: String) -> Problem {
    Problem::new(&codes::INVALID_BODY)
        .detail(format!("`{pointer}` {message}."))
        .at(FieldError::body(pointer, fault, message))
}

/// `Link` to the next page: the same request, with its cursor.
pub(super) fn link_to_next(uri: &Uri, cursor: &str) -> Result<HeaderValue, Problem> {
    let query = uri.query().unwrap_or_default().split('&');
    let kept = query.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let query = kept.fold(String::new(), |query, pair| query + pair + "&");
    let link = format!("<{}?{query}cursor={cursor}>; rel=\"next\"", uri.path());
    HeaderValue::try_from(link).map_err(Problem::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_another_text_does_not() {
        let position = (Timestamp::UNIX_EPOCH, Uuid::max(), 7);
        let cursor = cursor(&position).unwrap();
        assert_eq!(read_cursor(&cursor).unwrap(), position);
        for text in ["", "x", "bnVsbA", &cursor[1..], "%00", "e30="] {
            let refused = read_cursor(text).unwrap_err();
            assert_eq!(refused.code().name, "invalid_parameter", "{text}");
        }
    }
}
