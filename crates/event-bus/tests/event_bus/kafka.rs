//! The transport that talks to the brokers itself.

#[cfg(feature = "crash-points")]
mod crash;
mod group;
mod leaving;
mod twin;

use std::{sync::Arc, time::Duration};

use catalogue::{Service, app_ids, services::RECURRING_TASKS, topics};
use event_bus::{
    Handler, Outgoing, RetryPolicy,
    kafka::{ConsumerSettings, KafkaSettings, PublishError, Publisher, Security, consume},
};
use metrics::Metrics;
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

    fn topics(&self) -> &Topics {
        self.topics.as_ref().expect("asked by the process that made them")
    }
}

impl Transport for Kafka {
    type Replica = KafkaReplica;

    const STOPS_AT_ONCE: bool = true;
    const WITHOUT_VALUE: &'static str = "not_json";

    async fn start_with(topics: Topics) -> Self {
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

    async fn try_publish(&self, events: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        self.publisher.publish(events).await
    }

    async fn publish_raw(&self, raw: RawRecord<'_>) {
        support::publish_raw(self.topics(), raw).await;
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
