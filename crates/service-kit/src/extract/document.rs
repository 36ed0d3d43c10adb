//! A JSON document, read before any type is asked.
//!
//! Reading it first separates what is no document (400) from what does not fit (422), and finds what typed reading would
//! miss or muddle: a key twice (the last one would win), U+0000 (`PostgreSQL` stores none), depth that costs stack, and an
//! array where an object should be (serde takes one for the other).

mod typed;

use std::{collections::BTreeSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::mismatch;

/// The largest integer that is taken from a number with a fraction. The parser rounds what has more digits: up to here, a
/// number that it rounded has a fraction, and is no integer by mistake.
const LARGEST_EXACT: f64 = 900_000_000_000_000.0;
/// Arrays and objects that may be nested in each other.
pub const MAX_DEPTH: usize = 32;

/// A value of the document; the whole document is one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Document {
    Null,
    Boolean(bool),
    Integer(i64),
    /// An integer above those of `i64`.
    Large(u64),
    Number(f64),
    Text(String),
    Array(Vec<Document>),
    /// Keys as they came; none twice.
    Object(Vec<(String, Document)>),
}

/// What is wrong with a body as a document, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// What is wrong, for people.
    pub(super) reason: String,
    /// Line, from 1.
    pub(super) line: usize,
    /// Bytes of the line up to the fault.
    pub(super) column: usize,
}

impl Document {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|error| not_utf8(&body[..error.valid_up_to()]))?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let whole = Reader { depth: 0 }.deserialize(&mut deserializer);
        let document = whole.and_then(|document| deserializer.end().map(|()| document));
        document.map_err(|error| Malformed {
            reason: mismatch::without_position(&error.to_string()).to_owned(),
            line: error.line(),
            column: error.column(),
        })
    }
}

fn not_utf8(before: &[u8]) -> Malformed {
    let mut lines = before.split(|byte| *byte == b'\n');
    Malformed {
        reason: "not UTF-8".to_owned(),
        line: lines.clone().count(),
        column: lines.next_back().unwrap_or_default().len(),
    }
}

/// Reads one value, inside this many arrays and objects.
#[derive(Clone, Copy)]
struct Reader {
    depth: usize,
}

impl Reader {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(format_args!("nested more than {MAX_DEPTH} deep")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Document;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Document;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Document, E> {
        Ok(Document::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Document, E> {
        Ok(Document::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Document, E> {
        Ok(Document::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Document, E> {
        Ok(i64::try_from(value).map_or(Document::Large(value), Document::Integer))
    }

    /// `2.0` and `2e3` are integers, as they are for JSON Schema.
    fn visit_f64<E: Error>(self, value: f64) -> Result<Document, E> {
        let exact = value.fract() == 0.0 && value.abs() <= LARGEST_EXACT;
        #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and lies in range")]
        let integer = exact.then_some(value as i64);
        Ok(integer.map_or(Document::Number(value), Document::Integer))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Document, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Document, E> {
        without_nul(text).map(Document::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let inside = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            array.push(item);
        }
        Ok(Document::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Document, A::Error> {
        let inside = self.deeper()?;
        let mut keys = BTreeSet::new();
        let mut object = Vec::new();
        while let Some(key) = fields.next_key::<String>()? {
            let key = without_nul(key)?;
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("the key `{key}` is given twice")));
            }
            object.push((key, fields.next_value_seed(inside)?));
        }
        Ok(Document::Object(object))
    }
}

fn without_nul<E: Error>(text: String) -> Result<String, E> {
    if text.contains('\0') {
        return Err(E::custom("it contains the character U+0000"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
