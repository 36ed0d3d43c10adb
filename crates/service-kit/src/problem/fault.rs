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

macro_rules! faults {
    ($($variant:ident = $name:literal, $help:literal;)*) => {
        /// What can be wrong with a place of the input.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum Fault {
            $(
                #[doc = $help]
                #[serde(rename = $name)]
                $variant,
            )*
        }

        impl Fault {
            /// Every fault, with what it means.
            pub const ALL: &[(Self, &str)] = &[$((Self::$variant, $help)),*];

            /// The name in the member `code` of an error.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

faults! {
    Unknown = "unknown", "Nothing of this name is known.";
    Missing = "missing", "It must be given.";
    Duplicate = "duplicate", "It is given more than once.";
    WrongType = "wrong_type", "It is of another JSON type.";
    NotAllowed = "not_allowed", "It is none of the values that are possible.";
    OutOfRange = "out_of_range", "It is below the least or above the greatest value.";
    TooShort = "too_short", "It has fewer characters or items than it must.";
    TooLong = "too_long", "It has more characters or items than it may.";
    InvalidFormat = "invalid_format", "It does not have its form, such as that of a date or a time zone.";
    Contradiction = "contradiction", "It does not go together with another field.";
}
