//! The transport that talks to the brokers itself.

#[cfg(feature = "crash-points")]
mod crash;
mod group;
mod leaving;
mod outage;
mod twin;

use std::{sync::Arc, time::Duration};

use catalogue::{Service, app_ids, services::RECURRING_TASKS, topics};
use event_bus::{
    Handler, Outgoing, RetryPolicy,
    kafka::{ConsumerSettings, KafkaSettings, Publisher, Security, consume},
};
use metrics::Metrics;
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use test_kit::Topics;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    contract::{RawRecord, Replica, Transport, contract_suite},
    support::{self, Record},
};

contract_suite!(Kafka);

pub(crate) struct Kafka {
    settings: KafkaSettings,
    publisher: Publisher,
    /// Of the process that made them.
    topics: Option<Topics>,
}

impl Kafka {
    fn new(settings: KafkaSettings, topics: Option<Topics>) -> Self {
        let publisher = Publisher::new(&settings, &support::metrics(app_ids::CHAT_API)).unwrap();
        Self {
            settings,
            publisher,
            topics,
        }
    }

    /// One that compresses, and has no limit of its own.
    fn foreign_producer(&self) -> FutureProducer {
        ClientConfig::new()
            .set("bootstrap.servers", &self.settings.brokers)
            .set("compression.type", "lz4")
            .set("message.max.bytes", "100000000")
            .create()
            .unwrap()
    }

    fn topics(&self) -> &Topics {
        self.topics.as_ref().expect("asked by the process that made them")
    }
}

impl Transport for Kafka {
    type Replica = KafkaReplica;

    async fn start(partitions: i32) -> Self {
        let topics = Topics::create(&[(topics::TASK_EVENTS, partitions), (topics::TASK_EVENTS_DLQ, 1)]).await;
        Self::new(support::settings(&topics), Some(topics))
    }

    fn address(&self) -> String {
        format!("{} {}", self.settings.brokers, self.settings.prefix)
    }

    fn at(address: &str) -> Self {
        let (brokers, prefix) = address.split_once(' ').unwrap();
        let settings = KafkaSettings {
            brokers: brokers.to_owned(),
            security: Security::Plaintext,
            prefix: prefix.to_owned(),
        };
        Self::new(settings, None)
    }

    async fn publish(&self, events: &[Outgoing]) {
        for result in self.publisher.publish(events).await {
            result.unwrap();
        }
    }

    async fn publish_raw(&self, raw: RawRecord<'_>) {
        let (key, value) = raw.header;
        let headers = OwnedHeaders::new().insert(Header {
            key,
            value: Some(value),
        });
        let topic = self.topics().name(topics::TASK_EVENTS);
        let mut record = FutureRecord::to(&topic).headers(headers);
        record.key = raw.key;
        record.payload = raw.value;
        self.foreign_producer().send(record, Duration::ZERO).await.unwrap();
    }

    fn join(&self, handler: Arc<impl Handler>, retry: RetryPolicy) -> KafkaReplica {
        let settings = ConsumerSettings {
            retry,
            session_timeout: Duration::from_secs(6),
            ..ConsumerSettings::new(self.settings.clone(), "replica-1")
        };
        KafkaReplica::join(&RECURRING_TASKS, settings, handler)
    }

    async fn dead_letters(&self, count: usize) -> Vec<Record> {
        support::read(self.topics(), topics::TASK_EVENTS_DLQ, count).await
    }

    async fn dead_letter_count(&self) -> i64 {
        support::count(self.topics(), topics::TASK_EVENTS_DLQ)
    }
}

pub(crate) struct KafkaReplica {
    metrics: Metrics,
    stop: CancellationToken,
    consuming: JoinHandle<()>,
}

impl KafkaReplica {
    fn join(service: &'static Service, settings: ConsumerSettings, handler: Arc<impl Handler>) -> Self {
        let metrics = support::metrics(service.app_id);
        let stop = CancellationToken::new();
        let consuming = tokio::spawn({
            let (metrics, stop) = (metrics.clone(), stop.clone());
            async move { consume(service, settings, handler, &metrics, stop).await.unwrap() }
        });
        Self {
            metrics,
            stop,
            consuming,
        }
    }
}

impl Replica for KafkaReplica {
    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    async fn stop(self) {
        self.stop.cancel();
        self.consuming.await.unwrap();
    }
}
