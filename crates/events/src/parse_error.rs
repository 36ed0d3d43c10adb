//! Why a record is no event of ours: a closed set, so that it can be the reason of a dead letter.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};
use thiserror::Error;

/// Why a record is no event of ours.
///
/// The message of an error names the place, never the value. A [`Misfit::message`] may quote the value: it belongs into
/// the dead-letter record, which holds the value anyway, and not into a log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// The record is not JSON.
    #[error("record is not JSON")]
    NotJson(Misfit),
    /// The record is JSON, and no `CloudEvents` 1.0 envelope with our attributes.
    #[error("envelope does not fit at `{}`", .0.pointer)]
    NotAnEnvelope(Misfit),
    /// Nobody has ever published this type.
    #[error("event type `{0}` is unknown")]
    UnknownType(String),
    /// The type is ours, in a major version that this reader does not read: a newer one, or one too old to be lifted.
    #[error("major version of event type `{0}` is not supported")]
    UnsupportedMajor(String),
    /// The payload is not what its type and version promise.
    #[error("payload does not fit at `{}`", .0.pointer)]
    PayloadInvalid(Misfit),
}

impl ParseError {
    /// Every reason.
    pub const REASONS: [&'static str; 5] = [
        "not_json",
        "not_an_envelope",
        "unknown_type",
        "unsupported_major",
        "payload_invalid",
    ];

    /// The class of this error, one of [`ParseError::REASONS`].
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotJson(_) => "not_json",
            Self::NotAnEnvelope(_) => "not_an_envelope",
            Self::UnknownType(_) => "unknown_type",
            Self::UnsupportedMajor(_) => "unsupported_major",
            Self::PayloadInvalid(_) => "payload_invalid",
        }
    }

    /// The place and what is wrong there, where the error has one.
    #[must_use]
    pub const fn misfit(&self) -> Option<&Misfit> {
        match self {
            Self::NotJson(misfit) | Self::NotAnEnvelope(misfit) | Self::PayloadInvalid(misfit) => Some(misfit),
            Self::UnknownType(_) | Self::UnsupportedMajor(_) => None,
        }
    }
}

/// A place in a record, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// JSON pointer (RFC 6901) from the root of the record, at most 200 characters; empty is the record itself.
    pub pointer: String,
    /// What is wrong, at most 200 characters. May quote the value.
    pub message: String,
}

impl Misfit {
    /// Something is wrong at this place.
    pub fn new(pointer: impl Into<String>, message: impl Display) -> Self {
        Self {
            pointer: shortened(&pointer.into()),
            message: shortened(&message.to_string()),
        }
    }
}

/// The start of a text from outside, fit for headers, logs and databases.
pub(crate) fn shortened(text: &str) -> String {
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(200).map(plain).collect()
}

/// Reads `value`, which stands at `pointer`; unknown fields are ignored.
pub(crate) fn read<T: DeserializeOwned>(pointer: &str, value: Value) -> Result<T, Misfit> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Misfit::new(format!("{pointer}{}", to_pointer(error.path())), error.inner()))
}

/// Refuses U+0000 in any text: PostgreSQL cannot store it, so that no consumer would ever be done with the record.
pub(crate) fn refuse_nul(pointer: &str, value: &Value) -> Result<(), Misfit> {
    let refuse = |pointer: &str, text: &str| {
        if text.contains('\0') {
            return Err(Misfit::new(pointer, "expected a text without U+0000"));
        }
        Ok(())
    };
    match value {
        Value::String(text) => refuse(pointer, text),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.try_for_each(|(index, item)| refuse_nul(&format!("{pointer}/{index}"), item))
        }
        Value::Object(fields) => fields.iter().try_for_each(|(name, field)| {
            let place = format!("{pointer}/{}", escaped(name));
            refuse(&place, name)?;
            refuse_nul(&place, field)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn to_pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => escaped(key),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => continue,
        };
        pointer.push('/');
        pointer.push_str(&name);
    }
    pointer
}
