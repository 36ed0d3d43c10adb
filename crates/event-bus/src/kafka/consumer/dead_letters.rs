//! Writing a dead letter to the twin of its topic.

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
};

use super::record::Record;
use crate::{
    dead_letter::{DeadLetter, OMITTED_VALUE_BYTES},
    kafka::{PublishError, Publisher},
};

/// Writes the record with the letter's headers behind its own, and returns when the brokers have it.
pub(super) async fn publish(
    publisher: &Publisher,
    twin: &str,
    record: &Record,
    letter: &DeadLetter<'_>,
) -> Result<(), PublishError> {
    let key = record.key.as_deref();
    let added = letter.headers();
    let headers = add(record.headers.clone().unwrap_or_default(), &added);
    match publisher.publish_raw(twin, key, record.value.as_deref(), headers).await {
        // A foreign producer compresses better than we do. Better a letter without its value than a blocked partition.
        Err(PublishError::NotAcknowledged(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge))) => {
            let size_bytes = record.value.as_ref().map_or(0, bytes::Bytes::len);
            let omitted = [(OMITTED_VALUE_BYTES, size_bytes.to_string())];
            let headers = add(add(OwnedHeaders::new(), &added), &omitted);
            publisher.publish_raw(twin, key, None, headers).await
        }
        result => result,
    }
}

fn add(headers: OwnedHeaders, added: &[(&str, String)]) -> OwnedHeaders {
    added.iter().fold(headers, |headers, (key, value)| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    })
}
