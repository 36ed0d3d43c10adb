//! What a dead letter tells beside the record that was given up: its headers.
//!
//! Key, value and headers of the record stay as they were; these are added behind. A record that is given up a second
//! time, after a replay, has them twice: the last ones count.

use jiff::Timestamp;

use crate::handler::Cause;

/// Topic that the record was in, as the broker knows it.
pub const ORIGIN_TOPIC: &str = "dead-letter-origin-topic";
/// Partition that it was in, from 0.
pub const ORIGIN_PARTITION: &str = "dead-letter-origin-partition";
/// Offset that it had there.
pub const ORIGIN_OFFSET: &str = "dead-letter-origin-offset";
/// When it was written there, RFC 3339; absent when the broker does not know.
pub const ORIGIN_TIMESTAMP: &str = "dead-letter-origin-timestamp";
/// Kind of the failure: [`Reason::as_str`](crate::Reason::as_str).
pub const REASON: &str = "dead-letter-reason";
/// What happened, at most [`MAX_DETAIL_CHARS`] characters.
pub const DETAIL: &str = "dead-letter-detail";
/// Attempts that were counted; 0 for a record that could not be read.
pub const ATTEMPTS: &str = "dead-letter-attempts";
/// App id of the service that gave it up.
pub const CONSUMER: &str = "dead-letter-consumer";
/// When that service first saw it in this delivery, RFC 3339.
pub const FIRST_SEEN: &str = "dead-letter-first-seen";
/// Size in bytes of a value that the twin does not take. The value is then left out, together with the record's own
/// headers, and is found at its origin.
pub const OMITTED_VALUE_BYTES: &str = "dead-letter-omitted-value-bytes";

/// Longest detail, in characters.
pub const MAX_DETAIL_CHARS: usize = 2_000;

/// Where a record was, and why it is there no longer.
pub(crate) struct DeadLetter<'a> {
    pub(crate) origin_topic: &'a str,
    pub(crate) origin_partition: i32,
    pub(crate) origin_offset: i64,
    pub(crate) origin_timestamp: Option<Timestamp>,
    pub(crate) cause: &'a Cause,
    pub(crate) attempts: u32,
    pub(crate) consumer: &'a str,
    pub(crate) first_seen: Timestamp,
}

impl DeadLetter<'_> {
    /// The headers to add, in order.
    pub(crate) fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            (ORIGIN_TOPIC, self.origin_topic.to_owned()),
            (ORIGIN_PARTITION, self.origin_partition.to_string()),
            (ORIGIN_OFFSET, self.origin_offset.to_string()),
            (REASON, self.cause.reason.as_str().to_owned()),
            (DETAIL, self.cause.detail.chars().take(MAX_DETAIL_CHARS).collect()),
            (ATTEMPTS, self.attempts.to_string()),
            (CONSUMER, self.consumer.to_owned()),
            (FIRST_SEEN, self.first_seen.to_string()),
        ];
        headers.extend(self.origin_timestamp.map(|it| (ORIGIN_TIMESTAMP, it.to_string())));
        headers
    }
}
