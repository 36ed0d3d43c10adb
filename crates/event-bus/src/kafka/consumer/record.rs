//! A record as it arrived.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use jiff::Timestamp;
use rdkafka::{
    Message as _,
    message::{BorrowedHeaders, BorrowedMessage, Headers as _, OwnedHeaders},
};

use crate::record::{RecordDelivery, RecordHeader, RecordPlace, RecordView, UNREADABLE_NAME};

/// A record as it arrived, apart from the client's memory.
pub(super) struct Record {
    /// Topic as the broker knows it.
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Bytes>,
    /// Passed on as they are: a name that is no UTF-8 makes the client library panic, see [`header`].
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

impl RecordView for Record {
    fn value(&self) -> Option<Bytes> {
        self.value.clone()
    }

    fn whole(&self, topic: &'static str) -> RecordDelivery {
        let headers = self.headers.as_ref();
        RecordDelivery {
            topic,
            place: RecordPlace {
                topic: self.topic.clone(),
                partition: self.partition,
                offset: self.offset,
            },
            key: self.key.clone().map(Bytes::from),
            value: self.value.clone(),
            headers: headers
                .map(|all| (0..all.count()).map(|at| header(all, at)).collect())
                .unwrap_or_default(),
            timestamp: self.timestamp,
        }
    }
}

/// A header by its place. The client library takes every name for UTF-8 and panics where that is wrong: such a record must
/// be kept like any other, and nothing else says beforehand what a name is.
fn header(headers: &OwnedHeaders, at: usize) -> RecordHeader {
    let read = || {
        let header = headers.get(at);
        RecordHeader {
            name: header.key.to_owned(),
            value: header.value.map(Bytes::copy_from_slice),
        }
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_no_text| RecordHeader {
        name: UNREADABLE_NAME.to_owned(),
        value: None,
    })
}
