mod values;

use std::collections::BTreeMap;

use axum::{extract::FromRequestParts, http::request::Parts};
use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, value::MapDeserializer};

use self::values::Values;
use super::mismatch::Mismatch;
use crate::problem::{Fault, FieldError, Problem, codes};

/// The parameters of the query. A field of type `Vec` takes a repeated parameter; any other is given at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<T>(pub T);

/// The same for what people type: bytes that are no text, and U+0000, are read as U+FFFD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypedQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for TypedQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse_with(parts.uri.query().unwrap_or_default(), |value| Some(any_text(value))).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    parse_with(query, text)
}

/// Reads the parameters, with their values decoded this way.
fn parse_with<T: DeserializeOwned>(query: &str, decode: impl Fn(&str) -> Option<String>) -> Result<T, Problem> {
    let mut parameters = BTreeMap::<String, Values>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let no_text = || refuse(name, Fault::InvalidFormat, "must be UTF-8 without U+0000");
        let (name, value) = (text(name).ok_or_else(no_text)?, decode(value).ok_or_else(no_text)?);
        parameters.entry(name).or_default().push(value);
    }
    serde_path_to_error::deserialize(MapDeserializer::new(parameters.into_iter())).map_err(|error| {
        let mismatch = Mismatch::from_serde(&error);
        let name = mismatch.path.first().map_or("", String::as_str);
        refuse(name, mismatch.fault, &mismatch.message)
    })
}

/// Decodes a value whatever it is. `PostgreSQL` stores no U+0000.
fn any_text(encoded: &str) -> String {
    let spaced = encoded.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8_lossy();
    decoded.replace('\0', "\u{fffd}")
}

/// Decodes one half of a pair; `None` when it is no text that can be stored.
fn text(encoded: &str) -> Option<String> {
    let spaced = encoded.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    (!decoded.contains('\0')).then(|| decoded.into_owned())
}

fn refuse(name: &str, fault: Fault, message: &str) -> Problem {
    Problem::new(&codes::INVALID_PARAMETER)
        .detail(format!("Parameter `{name}` {message}."))
        .at(FieldError::parameter(name, fault, message.to_owned()))
}

#[cfg(test)]
mod tests;
