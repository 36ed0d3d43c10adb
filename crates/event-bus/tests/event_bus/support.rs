//! What the tests of the Kafka transport share.

use std::time::Duration;

use catalogue::{Catalogue, app_ids, topics::TASK_EVENTS};
use event_bus::kafka::{KafkaSettings, Publisher, Security};
use metrics::Metrics;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    consumer::{Consumer as _, StreamConsumer},
    message::{Header, Headers as _, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use test_kit::{Topics, wait_until};
use tokio::time::timeout;

use crate::contract::RawRecord;

/// Longest wait for something that should be there at once, on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn settings(topics: &Topics) -> KafkaSettings {
    KafkaSettings {
        brokers: topics.brokers().to_owned(),
        security: Security::Plaintext,
        prefix: topics.prefix().to_owned(),
    }
}

pub(crate) fn metrics(app_id: &str) -> Metrics {
    Metrics::new(&Catalogue::taskflow(), app_id)
}

pub(crate) fn publisher(topics: &Topics) -> Publisher {
    Publisher::new(&settings(topics), &metrics(app_ids::CHAT_API)).unwrap()
}

/// A record as the brokers have it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    /// The names of its headers.
    pub(crate) fn header_names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The last header of this name, as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().rfind(|(key, _)| key == name)?;
        std::str::from_utf8(value.as_deref()?).ok()
    }
}

/// Publishes as a foreign producer does: one that compresses, and has no limit of its own.
pub(crate) async fn publish_raw(topics: &Topics, raw: RawRecord<'_>) {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", topics.brokers())
        .set("compression.type", "lz4")
        .set("message.max.bytes", "100000000")
        .create()
        .unwrap();
    let (key, value) = raw.header;
    let headers = OwnedHeaders::new().insert(Header {
        key,
        value: Some(value),
    });
    let topic = topics.name(TASK_EVENTS);
    let mut record = FutureRecord::to(&topic).headers(headers);
    record.key = raw.key;
    record.payload = raw.value;
    producer.send(record, Duration::ZERO).await.unwrap();
}

/// The first records of a topic, in order per partition. Waits until there are so many.
pub(crate) async fn read(topics: &Topics, topic: &str, count: usize) -> Vec<Record> {
    let topic = topics.name(topic);
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", topics.brokers())
        .set("group.id", format!("{}reader", topics.prefix()))
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(&topic), PATIENCE).unwrap();
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        partitions
            .add_partition_offset(&topic, partition.id(), Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&partitions).unwrap();
    let mut records = Vec::new();
    while records.len() < count {
        let message = timeout(PATIENCE, consumer.recv()).await;
        let message = message
            .unwrap_or_else(|_| panic!("{topic} has {} of {count} records", records.len()))
            .unwrap();
        let headers = message
            .headers()
            .map(|it| it.iter().collect::<Vec<_>>())
            .unwrap_or_default();
        records.push(Record {
            partition: message.partition(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers
                .iter()
                .map(|it| (it.key.to_owned(), it.value.map(<[u8]>::to_vec)))
                .collect(),
        });
    }
    records
}

/// The number of partitions of a topic.
pub(crate) fn partitions(topics: &Topics, topic: &str) -> i32 {
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", topics.brokers())
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(&topics.name(topic)), PATIENCE).unwrap();
    i32::try_from(metadata.topics()[0].partitions().len()).unwrap()
}

/// The number of records that a topic has ever had.
pub(crate) fn count(topics: &Topics, topic: &str) -> i64 {
    let topic = topics.name(topic);
    let consumer: StreamConsumer = ClientConfig::new()
        .set("bootstrap.servers", topics.brokers())
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(&topic), PATIENCE).unwrap();
    let partitions = metadata.topics()[0].partitions();
    partitions
        .iter()
        .map(|partition| consumer.fetch_watermarks(&topic, partition.id(), PATIENCE).unwrap().1)
        .sum()
}

/// Makes the brokers refuse larger batches for this topic.
pub(crate) async fn limit_batches(topics: &Topics, topic: &str, max_bytes: u32) {
    const SETTING: &str = "max.message.bytes";
    let admin: AdminClient<_> = ClientConfig::new()
        .set("bootstrap.servers", topics.brokers())
        .create()
        .unwrap();
    let (topic, max_bytes) = (topics.name(topic), max_bytes.to_string());
    let resource = ResourceSpecifier::Topic(&topic);
    let limit = AlterConfig::new(resource).set(SETTING, &max_bytes);
    let changed = admin.alter_configs([&limit], &AdminOptions::new()).await.unwrap();
    for outcome in changed {
        outcome.unwrap();
    }
    wait_until("the brokers know the limit", PATIENCE, async || {
        let described = admin.describe_configs([&resource], &AdminOptions::new()).await.unwrap();
        let resource = described.into_iter().next().unwrap().unwrap();
        let value = resource.get(SETTING).and_then(|entry| entry.value.clone());
        if value.as_ref() == Some(&max_bytes) {
            Ok(())
        } else {
            Err(format!("{value:?}"))
        }
    })
    .await;
}
