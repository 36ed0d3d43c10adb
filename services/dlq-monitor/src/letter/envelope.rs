//! What can be read of a value that may be no event.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::plain;

/// Longest source and type that are kept, in characters.
const MAX_CHARS: usize = 255;
/// The largest number of a task or a version: what every reader of JSON tells exactly.
const MAX_NUMBER: i64 = (1 << 53) - 1;

/// What can be read of a value, each part by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `id`
    pub event_id: Option<Uuid>,
    /// `source`
    pub source: Option<String>,
    /// `type`
    pub event_type: Option<String>,
    /// `subject`, or the key of the record.
    pub task_id: Option<i64>,
    /// `sequence`: the version of the task.
    pub version: Option<i64>,
    /// The trace that `traceparent` names.
    pub trace_id: Option<String>,
}

/// The attributes as they may stand there: a wrong one must not cost the others.
#[derive(Deserialize)]
struct Attributes {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    source: Value,
    #[serde(default)]
    r#type: Value,
    #[serde(default)]
    subject: Value,
    #[serde(default)]
    sequence: Value,
    #[serde(default)]
    traceparent: Value,
}

impl Envelope {
    pub(super) fn read(key: Option<&[u8]>, value: &[u8]) -> Self {
        let key = key.and_then(|key| std::str::from_utf8(key).ok()).and_then(number);
        // Serde would take the items of a list for fields in their order.
        let is_object = value.trim_ascii_start().first() == Some(&b'{');
        let attributes = is_object.then(|| serde_json::from_slice::<Attributes>(value).ok());
        let Some(attributes) = attributes.flatten() else {
            return Self {
                task_id: key,
                ..Self::default()
            };
        };
        let text = |it: &Value| it.as_str().map(|text| plain(text, MAX_CHARS));
        Self {
            event_id: attributes.id.as_str().and_then(|id| id.parse().ok()),
            source: text(&attributes.source),
            event_type: text(&attributes.r#type),
            task_id: attributes.subject.as_str().and_then(number).or(key),
            version: attributes.sequence.as_str().and_then(number),
            trace_id: attributes.traceparent.as_str().and_then(trace_id),
        }
    }
}

/// A number from 1, in decimal digits.
fn number(text: &str) -> Option<i64> {
    let is_decimal = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let number = text.parse().ok().filter(|_| is_decimal);
    number.filter(|number| (1..=MAX_NUMBER).contains(number))
}

fn trace_id(traceparent: &str) -> Option<String> {
    let id = traceparent.split('-').nth(1)?;
    let is_id = id.len() == 32 && id.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then(|| id.to_owned())
}
