//! Publishing, whatever the transport: what is promised, and why it may fail.

use std::collections::BTreeSet;

use catalogue::{delivery::PUBLISH_DEADLINE, spans, topics};
use kafka_settings::BusSettings;
use metrics::Metrics;
use rdkafka::error::KafkaError;
use tracing::{Span, field, info_span};

use crate::{
    Outgoing, dapr,
    kafka::{self, ClientError},
    trace_context,
};

/// Value of the header `content-type`: the record's value is the whole envelope (structured mode).
pub(crate) const CONTENT_TYPE: &str = "application/cloudevents+json; charset=UTF-8";

/// Bytes that a record may take beside key and value: headers and framing, generously.
const RECORD_OVERHEAD_BYTES: usize = 1024;

/// Publishes events over the transport that was chosen. Clones share its connections.
#[derive(Clone)]
pub enum Publisher {
    /// To the brokers itself.
    Kafka(kafka::Publisher),
    /// Through the sidecar.
    Dapr(dapr::Publisher),
}

/// Why a record is not known to be in its topic.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The record is larger than its topic takes: it can never be published.
    #[error("the event is larger than {} bytes", topics::MAX_EVENT_BYTES)]
    TooLarge,
    /// An earlier record with the same key failed; this one must wait for it.
    #[error("an earlier event with the same key was not published")]
    Behind,
    /// The brokers did not acknowledge the record; it may be in the topic all the same.
    #[error("the brokers did not acknowledge the event")]
    NotAcknowledged(#[source] KafkaError),
    /// The sidecar says that the record was not published; it may be in the topic all the same.
    #[error("the sidecar did not publish the event: {0}")]
    Sidecar(String),
    /// The sidecar could not be spoken to, or stopped in the middle.
    #[error("the sidecar did not answer")]
    Unreached(#[source] reqwest::Error),
    /// No answer came within [`PUBLISH_DEADLINE`]; the record may be in the topic all the same.
    #[error("the brokers did not answer within {PUBLISH_DEADLINE:?}")]
    TimedOut,
}

impl Publisher {
    /// A publisher for the service of these metrics. Neither brokers nor sidecar need be reachable yet.
    pub fn new(settings: &BusSettings, metrics: &Metrics) -> Result<Self, ClientError> {
        match settings {
            BusSettings::Direct(settings) => kafka::Publisher::new(settings, metrics).map(Self::Kafka),
            BusSettings::Sidecar(settings) => Ok(Self::Dapr(dapr::Publisher::new(settings, metrics)?)),
        }
    }

    /// Publishes the records and returns one result for each, in the same order, within [`PUBLISH_DEADLINE`].
    ///
    /// Records with one key arrive in the order of the batch. When one fails, no later one with its key is reported as
    /// published: publish the failed ones again, in their order.
    pub async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        match self {
            Self::Kafka(publisher) => publisher.publish(batch).await,
            Self::Dapr(publisher) => publisher.publish(batch).await,
        }
    }
}

impl From<kafka::Publisher> for Publisher {
    fn from(publisher: kafka::Publisher) -> Self {
        Self::Kafka(publisher)
    }
}

impl From<dapr::Publisher> for Publisher {
    fn from(publisher: dapr::Publisher) -> Self {
        Self::Dapr(publisher)
    }
}

/// Refuses a record that its topic would never take.
pub(crate) fn check_size(record: &Outgoing) -> Result<(), PublishError> {
    if record.key.len() + record.value.len() + RECORD_OVERHEAD_BYTES > topics::MAX_EVENT_BYTES as usize {
        return Err(PublishError::TooLarge);
    }
    Ok(())
}

/// Takes back each success that stands behind a failure with the same key: a late acknowledgement of the failed one
/// may have been missed by an instant.
pub(crate) fn hold_back(batch: &[Outgoing], results: &mut [Result<(), PublishError>]) {
    let mut failed = BTreeSet::new();
    for (record, result) in batch.iter().zip(results) {
        let key = (record.topic, record.key.as_str());
        if result.is_err() {
            failed.insert(key);
        } else if failed.contains(&key) {
            *result = Err(PublishError::Behind);
        }
    }
}

pub(crate) fn publish_span(record: &Outgoing) -> Span {
    let span = info_span!(
        spans::EVENT_PUBLISH.name,
        otel.kind = "producer",
        { spans::EVENT_ID.key } = %record.event_id,
        { spans::EVENT_TYPE.key } = record.event_type,
        { spans::TASK_ID.key } = record.key.parse::<i64>().ok(),
        { spans::MESSAGING_SYSTEM.key } = "kafka",
        { spans::MESSAGING_DESTINATION_NAME.key } = record.topic,
        { spans::MESSAGING_DESTINATION_PARTITION_ID.key } = field::Empty,
    );
    if let Some(traceparent) = &record.traceparent {
        trace_context::link_to(&span, traceparent);
    }
    span
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use uuid::Uuid;

    use super::*;

    fn record(key: &str) -> Outgoing {
        Outgoing {
            topic: topics::TASK_EVENTS,
            key: key.to_owned(),
            event_id: Uuid::nil(),
            event_type: String::new(),
            value: Bytes::new(),
            traceparent: None,
        }
    }

    #[test]
    fn a_late_acknowledgement_overtakes_nothing() {
        let batch = ["1", "2", "1", "2", "1"].map(record);
        let mut results = [Ok(()), Err(PublishError::TimedOut), Ok(()), Ok(()), Ok(())];
        hold_back(&batch, &mut results);
        assert!(matches!(
            results,
            [
                Ok(()),
                Err(PublishError::TimedOut),
                Ok(()),
                Err(PublishError::Behind),
                Ok(())
            ]
        ));
    }
}
