//! Checked values that an event carries beside the task.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::{Uuid, Variant};

/// A text or number that an attribute cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {0}")]
pub struct InvalidAttribute(&'static str);

/// The identity of an event: a version 7 UUID, made once, when the outbox row is written.
///
/// A repeated publish carries the same id, so a consumer that has seen it does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Uuid", into = "Uuid")]
pub struct EventId(Uuid);

impl EventId {
    /// A new identity for an event that happens now.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The UUID.
    #[must_use]
    pub const fn get(self) -> Uuid {
        self.0
    }

    /// When the id was made, to the millisecond. Its UTC date is the event's day.
    #[must_use]
    pub fn made_at(self) -> Timestamp {
        made_at(self.0).expect("an id of a later instant is refused")
    }
}

/// What the first 48 bits of a version 7 UUID say.
fn made_at(uuid: Uuid) -> Option<Timestamp> {
    let (bits, _) = uuid.as_u64_pair();
    let millisecond = i64::try_from(bits >> 16).ok()?;
    Timestamp::from_millisecond(millisecond).ok()
}

impl TryFrom<Uuid> for EventId {
    type Error = InvalidAttribute;

    fn try_from(uuid: Uuid) -> Result<Self, InvalidAttribute> {
        let version_7 = uuid.get_version_num() == 7 && uuid.get_variant() == Variant::RFC4122;
        if version_7 && made_at(uuid).is_some() {
            Ok(Self(uuid))
        } else {
            Err(InvalidAttribute("a version 7 UUID"))
        }
    }
}

impl From<EventId> for Uuid {
    fn from(id: EventId) -> Self {
        id.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A counter that begins at 1 and stays below 2^53: the version of a task, or the changes of a user.
///
/// In payloads it is a JSON number. As an attribute it is a text of 16 digits, see [`Counter::padded`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Counter(i64);

impl Counter {
    /// The largest count, which every JSON reader reads exactly, a browser's included: 2^53 - 1.
    pub const MAX: i64 = (1 << 53) - 1;

    const EXPECTED: InvalidAttribute = InvalidAttribute("a whole number from 1 to 2^53 - 1");

    /// The count, 1 to [`Counter::MAX`].
    pub fn new(count: i64) -> Result<Self, InvalidAttribute> {
        if (1..=Self::MAX).contains(&count) {
            Ok(Self(count))
        } else {
            Err(Self::EXPECTED)
        }
    }

    /// The count.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The text of the attributes `sequence` and `userseq`.
    ///
    /// An Integer of `CloudEvents` has 32 bits, and the extension `sequence` is a String that must sort like the number
    /// in it: so the number is padded to the length of the largest. `sequencetype: Integer` would promise 32 bits and a
    /// wrap-around, and is not set.
    #[must_use]
    pub fn padded(self) -> String {
        format!("{:016}", self.0)
    }

    /// Reads the text of an attribute.
    pub fn from_padded(text: &str) -> Result<Self, InvalidAttribute> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit());
        let count = if digits { text.parse().ok() } else { None };
        count.ok_or(Self::EXPECTED).and_then(Self::new)
    }
}

impl TryFrom<i64> for Counter {
    type Error = InvalidAttribute;

    fn try_from(count: i64) -> Result<Self, InvalidAttribute> {
        Self::new(count)
    }
}

impl From<Counter> for i64 {
    fn from(counter: Counter) -> Self {
        counter.0
    }
}

/// The W3C trace context in which the event was written: `00-<trace id>-<span id>-<flags>`, lower-case hexadecimal.
///
/// It holds the start of the transmission and no later hop. Dapr fails on one that is no string of this form, which is
/// why it cannot be built from an unchecked text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Traceparent(String);

impl Traceparent {
    /// The text, 55 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Traceparent {
    type Err = InvalidAttribute;

    fn from_str(text: &str) -> Result<Self, InvalidAttribute> {
        let hexadecimal = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let id = |part: &str, length: usize| hexadecimal(part, length) && part.bytes().any(|b| b != b'0');
        let parts: Vec<&str> = text.split('-').collect();
        match parts.as_slice() {
            ["00", trace, span, flags] if id(trace, 32) && id(span, 16) && hexadecimal(flags, 2) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(InvalidAttribute("a W3C traceparent of version 00")),
        }
    }
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What ties together everything that one request caused: 1 to 128 visible ASCII characters, fit for a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorrelationId(String);

impl CorrelationId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CorrelationId {
    type Err = InvalidAttribute;

    fn from_str(text: &str) -> Result<Self, InvalidAttribute> {
        if (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAttribute("1 to 128 visible ASCII characters"))
        }
    }
}

impl From<Uuid> for CorrelationId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid.to_string())
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! spelled_as_text {
    ($($type:ident),+) => {
        $(
            impl TryFrom<String> for $type {
                type Error = InvalidAttribute;
                fn try_from(text: String) -> Result<Self, InvalidAttribute> {
                    text.parse()
                }
            }
            impl From<$type> for String {
                fn from(value: $type) -> Self {
                    value.0
                }
            }
        )+
    };
}

spelled_as_text!(CorrelationId, Traceparent);
