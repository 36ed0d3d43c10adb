//! What is handed to a transport.

use bytes::Bytes;
use uuid::Uuid;

/// One event on its way to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Topic, a name of the catalogue.
    pub topic: &'static str,
    /// Record key: it alone places the record, so events with one key stay in order.
    pub key: String,
    /// Id of the event, fixed when it was recorded: a second attempt carries the same one.
    pub event_id: Uuid,
    /// Type of the event with its major version, as in the envelope.
    pub event_type: String,
    /// The whole `CloudEvents` envelope as JSON.
    pub value: Bytes,
    /// W3C `traceparent` of the work that caused the event, where it was traced.
    pub traceparent: Option<String>,
}
