//! Records as they are: for whoever must take what is no event.

use bytes::Bytes;
use jiff::Timestamp;

use crate::handler::Outcome;

/// What a service does with records that need not be events. One value serves all partitions at once.
///
/// The contract is that of a [`Handler`](crate::Handler), but for one thing: nothing is a dead letter before it was seen
/// here.
pub trait RecordHandler: Send + Sync + 'static {
    /// Handles one record. The same one may come again: every effect is idempotent. The future may be dropped at any
    /// await.
    fn handle(&self, record: &RecordDelivery) -> impl Future<Output = Outcome> + Send;

    /// Whether what the handler itself depends on (its database) can be reached; as
    /// [`Handler::available`](crate::Handler::available).
    fn available(&self) -> impl Future<Output = bool> + Send;
}

/// A record that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordDelivery {
    /// Topic that is consumed, a name of the catalogue.
    pub topic: &'static str,
    /// Where the record lies, as far as the transport says. Of a dead letter that a sidecar wrote, a sidecar tells where
    /// its *origin* lay: it passes the headers that the first one left for the truth.
    pub place: RecordPlace,
    /// Its key.
    pub key: Option<Bytes>,
    /// Its value; `None` where it has none. A sidecar delivers the text `null` then.
    pub value: Option<Bytes>,
    /// Its headers, in order.
    pub headers: Vec<RecordHeader>,
    /// When it was written, where the brokers know.
    pub timestamp: Option<Timestamp>,
}

/// Where a record lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    /// Topic as the brokers know it.
    pub topic: String,
    /// Partition, from 0.
    pub partition: i32,
    /// Offset, from 0.
    pub offset: i64,
}

/// A header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// Its name; in lower case from a sidecar. [`UNREADABLE_NAME`] where it is no UTF-8, whose value cannot be had then.
    pub name: String,
    /// Its value; `None` where it has none.
    pub value: Option<Bytes>,
}

/// Stands for the name of a header that is no UTF-8.
pub const UNREADABLE_NAME: &str = "\u{fffd}";

/// What a transport has of a record.
pub trait RecordView {
    /// Its value.
    fn value(&self) -> Option<Bytes>;
    /// All of it, apart from the transport.
    fn whole(&self, topic: &'static str) -> RecordDelivery;
}
