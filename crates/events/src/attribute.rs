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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_has_version_7_and_knows_its_day() {
        let id: Uuid = "01a0c450-6c06-7707-8707-070707070707".parse().unwrap();
        let made_at = EventId::try_from(id).unwrap().made_at();
        assert_eq!(made_at.to_string(), "2026-09-21T14:13:20.006Z");
        for other in [
            "3f6c1d1e-6a0b-4c55-9a53-0d9b1f0c2a11",
            "01a0c450-6c06-7707-0707-070707070707",
            "ffffffff-ffff-7fff-bfff-ffffffffffff",
        ] {
            let uuid: Uuid = other.parse().unwrap();
            assert!(EventId::try_from(uuid).is_err(), "{other}");
        }
    }

    #[test]
    fn generated_ids_are_valid_and_in_order() {
        let ids: Vec<EventId> = (0..1_000).map(|_| EventId::generate()).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| EventId::try_from(id.get()) == Ok(*id)));
    }

    #[test]
    fn a_padded_counter_sorts_like_its_number() {
        let counts = [1, 9, 10, 99, 1_000, i64::from(i32::MAX) + 1, Counter::MAX];
        let texts = counts.map(|count| Counter::new(count).unwrap().padded());
        assert!(texts.is_sorted());
        assert_eq!(texts[0], "0000000000000001");
        assert_eq!(texts.map(|text| Counter::from_padded(&text).unwrap().get()), counts);
        for count in [0, -1, Counter::MAX + 1] {
            assert!(Counter::new(count).is_err(), "{count}");
        }
    }

    #[test]
    fn a_traceparent_is_one_of_the_w3c() {
        let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(valid.parse::<Traceparent>().unwrap().as_str(), valid);
        for invalid in [
            "",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7a-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(invalid.parse::<Traceparent>().is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn a_correlation_id_fits_into_a_header() {
        for valid in ["a", "3f6c1d1e-6a0b-4c55-9a53-0d9b1f0c2a11", &"x".repeat(128)] {
            assert_eq!(valid.parse::<CorrelationId>().unwrap().as_str(), valid);
        }
        for invalid in ["", "two words", "a\r\nb", "ü", &"x".repeat(129)] {
            assert!(invalid.parse::<CorrelationId>().is_err(), "{invalid:?}");
        }
    }
}
