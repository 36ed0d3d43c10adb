use std::borrow::Cow;

use serde::Serialize;

/// A place of the input and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where it is.
    pub place: Place,
    /// What is wrong, for programs.
    pub code: Fault,
    /// What is wrong, for people: follows the place in a sentence, such as "must be an integer".
    pub message: Cow<'static, str>,
}

impl FieldError {
    /// A field of the body, by its JSON pointer (RFC 6901).
    pub fn body(pointer: impl Into<String>, code: Fault, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Pointer(pointer.into()), code, message)
    }

    /// A parameter of the query, by its name.
    pub fn parameter(name: impl Into<String>, code: Fault, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Parameter(name.into()), code, message)
    }

    /// A header, by its name.
    pub fn header(name: impl Into<String>, code: Fault, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Place::Header(name.into()), code, message)
    }

    fn new(place: Place, code: Fault, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            place,
            code,
            message: message.into(),
        }
    }
}

/// A place of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// JSON pointer (RFC 6901) into the body; empty for the whole. A missing field is pointed to where it should be.
    Pointer(String),
    /// Name of a parameter of the query.
    Parameter(String),
    /// Name of a header.
    Header(String),
}

/// What can be wrong with a place of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing of this name is known.
    Unknown,
    /// It must be given.
    Missing,
    /// It is given more than once.
    Duplicate,
    /// It is of another JSON type.
    WrongType,
    /// It is none of the values that are possible.
    NotAllowed,
    /// It is below the least or above the greatest value.
    OutOfRange,
    /// It has fewer characters or items than it must.
    TooShort,
    /// It has more characters or items than it may.
    TooLong,
    /// It does not have its form, such as a date or a time zone.
    InvalidFormat,
    /// It does not go together with another field.
    Contradiction,
}
