//! A row of the record, as people see it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::chain::{Hash, Row};

/// A row of the record. Everything that its hash covers stands here.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    /// Whose chain it is in.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    task_id: i64,
    /// Its place in the chain, from 1.
    #[schema(minimum = 1)]
    position: i64,
    /// The UTC day of the event.
    #[schema(format = Date)]
    event_day: String,
    /// `source` of the event.
    source: String,
    /// `id` of the event; with its source, no other has it.
    event_id: Uuid,
    /// `type` of the event.
    #[serde(rename = "type")]
    event_type: String,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The hash of the row before it; zeros before the first.
    #[schema(value_type = HashText)]
    previous_hash: Hash,
    /// The hash of this row.
    #[schema(value_type = HashText)]
    hash: Hash,
    /// The event as it arrived.
    #[schema(value_type = serde_json::Value)]
    event: Box<RawValue>,
}

/// SHA-256 in hexadecimal digits.
#[derive(ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
#[expect(dead_code, reason = "stands for its schema")]
pub(crate) struct HashText(String);

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            task_id: row.task_id,
            position: row.position,
            event_day: row.event_day.to_string(),
            source: row.source,
            event_id: row.event_id,
            event_type: row.event_type,
            recorded_at: row.recorded_at.0,
            previous_hash: row.previous_hash,
            hash: row.hash,
            event: in_one_line(row.event),
        }
    }
}

/// The envelope byte for byte, so that its hash can be verified. Only line breaks, which stand between tokens and which
/// none of our writers make, become blanks. What is no JSON was altered, and is shown as text.
fn in_one_line(mut event: Vec<u8>) -> Box<RawValue> {
    for byte in &mut event {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    let raw = serde_json::from_slice(&event);
    raw.unwrap_or_else(|_| to_raw_value(&String::from_utf8_lossy(&event)).expect("a text can be written as JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_byte_for_byte_in_one_line() {
        let shown = |event: &str| in_one_line(event.into()).get().to_owned();
        assert_eq!(shown(r#"{"b":1.50,  "a":"ä\n"}"#), r#"{"b":1.50,  "a":"ä\n"}"#);
        assert_eq!(shown("{\r\n\"a\":1}"), "{  \"a\":1}");
        assert_eq!(shown("was altered"), "\"was altered\"");
    }
}
