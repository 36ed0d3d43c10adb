//! Turns what serde says about input that does not fit a type into a place, a fault and a sentence.
//!
//! serde tells its failures as text. The forms below are those of `serde::de::Error`, which every format uses; what has
//! another form is the message of a type of ours and is passed on as it stands.

use std::fmt;

use serde_path_to_error::Segment;

use crate::problem::Fault;

/// What text means that a value of the query is given more than once.
pub(super) const REPEATED: &str = "is given more than once";

/// What does not fit, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    /// The way to the field; a missing or unknown one included.
    pub(super) path: Vec<String>,
    /// What is wrong with it.
    pub(super) fault: Fault,
    /// A sentence that follows the place.
    pub(super) message: String,
}

impl Mismatch {
    /// Reads a failure of serde.
    pub(super) fn from_serde<E: fmt::Display>(error: &serde_path_to_error::Error<E>) -> Self {
        let mut path: Vec<String> = error.path().iter().filter_map(name_of).collect();
        let text = error.inner().to_string();
        let (fault, field, message) = explain(without_position(&text));
        if let Some(field) = field {
            // The path ends in an unknown key where serde had read it, and at the object around it everywhere else.
            if fault != Fault::Unknown || path.last().is_none_or(|last| last != field) {
                path.push(field.to_owned());
            }
        }
        Self { path, fault, message }
    }

    /// The way to the field as a JSON pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        let escaped = self
            .path
            .iter()
            .map(|segment| segment.replace('~', "~0").replace('/', "~1"));
        escaped.fold(String::new(), |pointer, segment| pointer + "/" + &segment)
    }
}

/// A segment of the path as it stands in the document; the variant of an externally tagged enum is a key there.
fn name_of(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Map { key } => Some(key.clone()),
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Enum { variant } => Some(variant.clone()),
        Segment::Unknown => None,
    }
}

/// The fault, the field that the text names beyond the path, and the sentence.
fn explain(text: &str) -> (Fault, Option<&str>, String) {
    if let Some(rest) = text.strip_prefix("missing field `") {
        return (Fault::Missing, name(rest), "must be given".to_owned());
    }
    if let Some(rest) = text.strip_prefix("duplicate field `") {
        return (Fault::Duplicate, name(rest), REPEATED.to_owned());
    }
    if let Some(rest) = text.strip_prefix("unknown field `") {
        return (Fault::Unknown, name(rest), known_fields(rest));
    }
    if text == REPEATED {
        return (Fault::Duplicate, None, REPEATED.to_owned());
    }
    if let Some((_, expected)) = text.rsplit_once(", expected ") {
        if text.starts_with("invalid type: ") {
            return (Fault::WrongType, None, format!("must be {}", plain(expected)));
        }
        if text.starts_with("invalid value: ") {
            return (Fault::OutOfRange, None, format!("must be {}", plain(expected)));
        }
        if text.starts_with("invalid length ") {
            return (Fault::OutOfRange, None, format!("must have {expected}"));
        }
        if text.starts_with("unknown variant `") {
            return (Fault::NotAllowed, None, format!("must be {expected}"));
        }
    }
    (Fault::InvalidFormat, None, text.to_owned())
}

/// What serde calls a type, in words of JSON.
fn plain(expected: &str) -> &str {
    match expected {
        "i8" => "an integer from -128 to 127",
        "i16" => "an integer from -32768 to 32767",
        "i32" => "an integer from -2147483648 to 2147483647",
        "i64" | "isize" => "an integer",
        "u8" => "an integer from 0 to 255",
        "u16" => "an integer from 0 to 65535",
        "u32" => "an integer from 0 to 4294967295",
        "u64" | "usize" => "an integer, not negative",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        "unit" => "null",
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => "an object",
        other if other.starts_with("tuple ") => "an array",
        other if other.starts_with("enum ") || other.starts_with("variant ") => "one of its forms",
        other => other,
    }
}

/// The name before the closing backtick.
fn name(rest: &str) -> Option<&str> {
    rest.split_once('`').map(|(name, _)| name)
}

fn known_fields(rest: &str) -> String {
    match rest.split_once("`, expected ") {
        Some((_, expected)) => format!("is unknown; known: {}", expected.trim_start_matches("one of ")),
        None => "is unknown; nothing is known here".to_owned(),
    }
}

/// Cuts the ` at line L column C` that `serde_json` appends.
pub(super) fn without_position(text: &str) -> &str {
    let position = text.rsplit_once(" at line ").filter(|(_, tail)| {
        let digits = tail.replace(" column ", "");
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    position.map_or(text, |(before, _)| before)
}
