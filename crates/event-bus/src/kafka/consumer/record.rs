//! A record as it arrived.

use bytes::Bytes;
use jiff::Timestamp;
use rdkafka::{
    Message as _,
    message::{BorrowedHeaders, BorrowedMessage, OwnedHeaders},
};

/// A record as it arrived, apart from the client's memory.
pub(super) struct Record {
    /// Topic as the broker knows it.
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Bytes>,
    /// Passed on as they are, never read: a name that is no UTF-8 makes the client library panic.
    pub(super) headers: Option<OwnedHeaders>,
    pub(super) timestamp: Option<Timestamp>,
    /// When this replica first saw it.
    pub(super) first_seen: Timestamp,
}

impl From<&BorrowedMessage<'_>> for Record {
    fn from(message: &BorrowedMessage<'_>) -> Self {
        let timestamp = message.timestamp().to_millis();
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(Bytes::copy_from_slice),
            headers: message.headers().map(BorrowedHeaders::detach),
            timestamp: timestamp.and_then(|it| Timestamp::from_millisecond(it).ok()),
            first_seen: Timestamp::now(),
        }
    }
}
