//! Publishing: in order per key, acknowledged by every in-sync replica, and done or failed within a bounded time.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use catalogue::{delivery::PUBLISH_DEADLINE, metrics::DEPENDENCY_UP, spans, topics};
use kafka_settings::KafkaSettings;
use metrics::{Gauge, Metrics};
use rdkafka::{
    ClientConfig,
    error::{KafkaError, RDKafkaErrorCode},
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, future_producer::DeliveryFuture},
};
use tokio::time::{Instant, timeout_at};
use tracing::Span;

use super::client::{self, Client, ClientError};
use crate::{
    Outgoing,
    publisher::{CONTENT_TYPE, PublishError, check_size, hold_back, publish_span},
};

/// Publishes to the brokers. Clones share one connection.
///
/// # How order is kept
/// The producer is idempotent, never gives up a record by itself, and stops for good rather than leave a gap
/// (`enable.gapless.guarantee`). Whatever fails, the producer is replaced as a whole, and with it all that it still
/// held. So a record can be in the topic only behind the records that were handed over before it with the same key;
/// what is published again appears twice, with the same event id. The price is that a failure fails everything that is
/// under way, which is what a broker outage does anyway.
#[derive(Clone)]
pub struct Publisher(Arc<Shared>);

struct Shared {
    config: ClientConfig,
    prefix: String,
    broker_up: Gauge,
    current: Mutex<Current>,
}

struct Current {
    producer: FutureProducer<Client>,
    /// How many producers were there before this one.
    generation: u64,
}

/// A record on its way: what it will be reported by.
struct Pending {
    delivery: Result<DeliveryFuture, PublishError>,
    span: Span,
}

impl Publisher {
    /// A publisher for the service of these metrics. Brokers need not be reachable yet.
    pub fn new(settings: &KafkaSettings, metrics: &Metrics) -> Result<Self, ClientError> {
        let config = config(settings, metrics.app_id());
        let producer = config.create_with_context(Client)?;
        Ok(Self(Arc::new(Shared {
            config,
            prefix: settings.prefix.clone(),
            broker_up: metrics.gauge(&DEPENDENCY_UP, &["broker"]),
            current: Mutex::new(Current {
                producer,
                generation: 0,
            }),
        })))
    }

    /// Publishes the records and returns one result for each, in the same order, within [`PUBLISH_DEADLINE`].
    ///
    /// Records with one key arrive in the order of the batch. When one fails, no later one with its key is reported as
    /// published: publish the failed ones again, in their order.
    pub async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        let deadline = Instant::now() + PUBLISH_DEADLINE;
        let (generation, pending) = self.0.enqueue(batch);
        let mut results = Vec::with_capacity(batch.len());
        for record in pending {
            results.push(record.settle(deadline).await);
        }
        self.0.learn_from(&results, generation);
        hold_back(batch, &mut results);
        results
    }

    /// Publishes one record as it is, within [`PUBLISH_DEADLINE`].
    pub(super) async fn publish_raw(
        &self,
        topic: &str,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: OwnedHeaders,
    ) -> Result<(), PublishError> {
        let deadline = Instant::now() + PUBLISH_DEADLINE;
        let (generation, delivery) = {
            let current = self.0.current();
            (
                current.generation,
                self.0.send(&current.producer, topic, key, value, headers),
            )
        };
        let span = Span::none();
        let result = Pending { delivery, span }.settle(deadline).await;
        self.0.learn_from(std::slice::from_ref(&result), generation);
        result
    }
}

impl Shared {
    /// Hands the batch to the current producer. Under the lock, so that two batches do not mix, and so that nobody
    /// else holds a producer that is being replaced.
    fn enqueue(&self, batch: &[Outgoing]) -> (u64, Vec<Pending>) {
        let current = self.current();
        let mut failed = BTreeSet::new();
        let mut pending = Vec::with_capacity(batch.len());
        for record in batch {
            let span = publish_span(record);
            let delivery = if failed.contains(&(record.topic, record.key.as_str())) {
                Err(PublishError::Behind)
            } else {
                self.send_event(&current.producer, record)
            };
            if delivery.is_err() {
                failed.insert((record.topic, record.key.as_str()));
            }
            pending.push(Pending { delivery, span });
        }
        (current.generation, pending)
    }

    fn send_event(&self, producer: &FutureProducer<Client>, record: &Outgoing) -> Result<DeliveryFuture, PublishError> {
        // The producer's own limit is that of dead letters, which are larger.
        check_size(record)?;
        let content_type = Header {
            key: "content-type",
            value: Some(CONTENT_TYPE),
        };
        let headers = OwnedHeaders::new_with_capacity(1).insert(content_type);
        self.send(
            producer,
            record.topic,
            Some(record.key.as_bytes()),
            Some(&record.value),
            headers,
        )
    }

    fn send(
        &self,
        producer: &FutureProducer<Client>,
        topic: &str,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: OwnedHeaders,
    ) -> Result<DeliveryFuture, PublishError> {
        let topic = format!("{}{topic}", self.prefix);
        let mut record = FutureRecord::to(&topic).headers(headers);
        record.key = key;
        record.payload = value;
        producer
            .send_result(record)
            .map_err(|(error, _)| PublishError::NotAcknowledged(error))
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the results say about the brokers and the producer.
    fn learn_from(&self, results: &[Result<(), PublishError>], generation: u64) {
        let failures = || results.iter().filter_map(|result| result.as_ref().err());
        if failures().any(|error| matches!(error, PublishError::TimedOut)) {
            self.broker_up.set(0.0);
        } else if results.iter().any(Result::is_ok) {
            self.broker_up.set(1.0);
        }
        if failures().any(ends_the_producer) {
            self.replace_producer(generation);
        }
    }

    /// Replaces the producer, unless somebody else has done it. What the old one still holds is thrown away: those
    /// records were reported as failed.
    fn replace_producer(&self, generation: u64) {
        let mut current = self.current();
        if current.generation != generation {
            return;
        }
        match self.config.create_with_context(Client) {
            Ok(producer) => {
                let old = std::mem::replace(
                    &mut *current,
                    Current {
                        producer,
                        generation: generation + 1,
                    },
                );
                // Dropping waits for the client's threads.
                tokio::task::spawn_blocking(move || drop(old));
            }
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "could not replace the Kafka producer; the next failure tries again"
            ),
        }
    }
}

impl Pending {
    async fn settle(self, deadline: Instant) -> Result<(), PublishError> {
        let delivered = match timeout_at(deadline, self.delivery?).await {
            Err(_elapsed) => Err(PublishError::TimedOut),
            Ok(Err(_canceled)) => Err(PublishError::NotAcknowledged(KafkaError::Canceled)),
            Ok(Ok(Err((error, _record)))) => Err(PublishError::NotAcknowledged(error)),
            Ok(Ok(Ok(delivery))) => Ok(delivery),
        }?;
        self.span.record(
            spans::MESSAGING_DESTINATION_PARTITION_ID.key,
            delivered.partition.to_string(),
        );
        Ok(())
    }
}

/// Whether the producer is not to be used any more.
fn ends_the_producer(error: &PublishError) -> bool {
    const FULL: KafkaError = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
    match error {
        PublishError::TooLarge | PublishError::Behind | PublishError::Sidecar(_) | PublishError::Unreached(_) => false,
        // Much was handed over at once: the producer is well, and drains.
        PublishError::NotAcknowledged(error) => *error != FULL,
        PublishError::TimedOut => true,
    }
}

/// What the producers of events and of dead letters are configured with.
pub(super) fn config(settings: &KafkaSettings, app_id: &str) -> ClientConfig {
    let mut config = client::config(settings, app_id);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("enable.gapless.guarantee", "true")
        // Never given up by the producer alone: a record that timed out while the next one did not would be a gap.
        .set("message.timeout.ms", "0")
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        // Whoever publishes many at once has them in the queue before the first is sent. With a linger of 1 ms the client
        // waits in full milliseconds and spins through the rest: a quarter of chat-api's time under load.
        .set("linger.ms", "0")
        .set("message.max.bytes", topics::MAX_DEAD_LETTER_BYTES.to_string())
        // An unknown topic is told as such before the deadline.
        .set("topic.metadata.propagation.max.ms", "3000");
    config
}
