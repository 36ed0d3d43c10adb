//! From a record of a dead-letter topic to a letter that can be kept: whatever can be read of it, and all of it as it is.
//!
//! Nothing here can fail. Who wrote the record may have been one of our services, a sidecar, or a program that nobody
//! knows; each part that cannot be read is left out.

mod envelope;

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use catalogue::topics;
use event_bus::{RecordDelivery, dead_letter, record::RecordHeader};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use envelope::Envelope;

/// Reason of a letter whose writer gave none: a sidecar, or somebody else.
pub const UNKNOWN: &str = "unknown";

/// Longest names that are kept, in characters.
const MAX_NAME_CHARS: usize = 100;
/// Longest fault, in characters.
const MAX_FAULT_CHARS: usize = 200;

/// Where a sidecar says that a record lay which it has given up.
const OF_THE_SIDECAR: [&str; 3] = ["__partition", "__offset", "__timestamp"];

/// A letter as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Topic that it was given up in, a name of the catalogue.
    pub origin: &'static str,
    /// What tells it from others at the same place.
    pub fingerprint: Vec<u8>,
    /// Where the record lay.
    pub origin_partition: Option<i32>,
    /// Where the record lay.
    pub origin_offset: Option<i64>,
    /// When the record was written.
    pub origin_timestamp: Option<Timestamp>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value, byte for byte.
    pub value: Option<Vec<u8>>,
    /// Headers in order: name, and text or base64.
    pub headers: Value,
    /// Size of a value that the topic did not take.
    pub omitted_bytes: Option<i64>,
    /// Kind of failure.
    pub reason: String,
    /// What happened.
    pub detail: String,
    /// The detail without what differs from record to record.
    pub fault: String,
    /// The same for all letters with the same origin, consumer, reason and fault.
    pub group_id: String,
    /// Attempts that were counted.
    pub attempts: Option<i32>,
    /// App id of who gave it up.
    pub consumer: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// What can be read of the value.
    pub envelope: Envelope,
}

impl Letter {
    /// Reads what can be read of a record that arrived at `now` in this dead-letter topic.
    #[must_use]
    pub fn read(record: &RecordDelivery, now: Timestamp) -> Self {
        let headers = Headers(&record.headers);
        let own = record.place.topic.ends_with(record.topic);
        let [partition, offset, timestamp] = OF_THE_SIDECAR.map(|name| headers.text(name));
        // A sidecar that delivers what a sidecar gave up tells the first place as if it were this one.
        let place = (!own).then_some(&record.place);
        let origin_partition = headers
            .parsed(dead_letter::ORIGIN_PARTITION)
            .or_else(|| partition?.parse().ok())
            .or_else(|| Some(place?.partition));
        let origin_offset = headers
            .parsed(dead_letter::ORIGIN_OFFSET)
            .or_else(|| offset?.parse().ok())
            .or_else(|| Some(place?.offset));
        let origin_timestamp = headers
            .parsed(dead_letter::ORIGIN_TIMESTAMP)
            .or_else(|| Timestamp::from_millisecond(timestamp?.parse().ok()?).ok());
        let omitted_bytes: Option<i64> = headers.parsed(dead_letter::OMITTED_VALUE_BYTES);
        let reason = headers.name(dead_letter::REASON).unwrap_or_else(|| UNKNOWN.to_owned());
        let detail = headers.text(dead_letter::DETAIL).unwrap_or_default();
        let detail = plain(&detail, dead_letter::MAX_DETAIL_CHARS);
        let consumer = headers.name(dead_letter::CONSUMER);
        let value = record.value.as_deref().filter(|_| omitted_bytes.is_none());
        let origin = origin_of(record.topic);
        let fault = fault(&detail);
        Self {
            origin,
            fingerprint: fingerprint(record),
            origin_partition,
            origin_offset,
            origin_timestamp,
            key: record.key.as_deref().map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(written).collect(),
            omitted_bytes,
            group_id: group_id(&[origin, consumer.as_deref().unwrap_or_default(), &reason, &fault]),
            reason,
            detail,
            fault,
            attempts: headers.parsed(dead_letter::ATTEMPTS),
            consumer,
            first_seen: headers
                .parsed(dead_letter::FIRST_SEEN)
                .or(record.timestamp)
                .unwrap_or(now),
            envelope: Envelope::read(record.key.as_deref(), value.unwrap_or_default()),
        }
    }
}

/// The topic whose twin this is.
fn origin_of(twin: &str) -> &'static str {
    let twin = topics::ALL.iter().find(|topic| topic.name == twin);
    let origin = twin.and_then(catalogue::Topic::origin);
    origin.expect("dead letters come from the twins of the catalogue")
}

/// Headers by name. A record that is given up a second time has them twice: the last ones count.
struct Headers<'a>(&'a [RecordHeader]);

impl Headers<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let header = self.0.iter().rev().find(|header| header.name == name)?;
        String::from_utf8(header.value.as_ref()?.to_vec()).ok()
    }

    /// A name that somebody else has written.
    fn name(&self, name: &str) -> Option<String> {
        let text = plain(&self.text(name)?, MAX_NAME_CHARS);
        (!text.is_empty()).then_some(text)
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

/// The start of a text from outside, fit for databases and terminals.
pub(crate) fn plain(text: &str, max_chars: usize) -> String {
    let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    text.chars().take(max_chars).map(plain).collect()
}

/// A detail with each number replaced: offsets, ids and instants make every one different, and are not what went wrong.
fn fault(detail: &str) -> String {
    let mut fault = String::new();
    let mut in_number = false;
    for c in detail.chars().take(MAX_FAULT_CHARS) {
        let is_digit = c.is_ascii_digit();
        if !is_digit {
            fault.push(c);
        } else if !in_number {
            fault.push('#');
        }
        in_number = is_digit;
    }
    fault
}

fn group_id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut id = String::new();
    for byte in &hash.finalize()[..6] {
        write!(id, "{byte:02x}").expect("a text grows");
    }
    id
}

/// Tells letters apart that lie at the same place: in a topic that was made anew, or as a sidecar tells it.
fn fingerprint(record: &RecordDelivery) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut part = |bytes: Option<&[u8]>| {
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        hash.update(length.to_be_bytes());
        hash.update(bytes.unwrap_or_default());
    };
    part(record.key.as_deref());
    part(record.value.as_deref());
    for header in &record.headers {
        part(Some(header.name.as_bytes()));
        part(header.value.as_deref());
    }
    hash.finalize().to_vec()
}

/// A header as it is kept. PostgreSQL stores no U+0000 in a text.
fn written(header: &RecordHeader) -> Value {
    let name = header.name.replace('\0', "\u{fffd}");
    let Some(value) = &header.value else {
        return json!({ "name": name });
    };
    match std::str::from_utf8(value) {
        Ok(text) if !text.contains('\0') => json!({ "name": name, "text": text }),
        _ => json!({ "name": name, "base64": BASE64_STANDARD.encode(value) }),
    }
}

#[cfg(test)]
mod tests;
