//! The side of the consumer that the client calls: rebalances, health, log.

use catalogue::metrics::DEPENDENCY_UP;
use metrics::{Gauge, Metrics};
use rdkafka::{
    ClientContext, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use tokio::sync::mpsc;

use super::client;

/// This replica as a member of its group.
pub(super) struct GroupMember {
    changes: mpsc::Sender<Change>,
    broker_up: Gauge,
}

/// What the group asks of this replica. The group waits until it is answered, by [`answer`].
#[derive(Debug)]
pub(super) enum Change {
    /// Take these partitions.
    Take(TopicPartitionList),
    /// Give these partitions back.
    Give {
        partitions: TopicPartitionList,
        /// They are gone already: somebody else may be handling them.
        lost: bool,
    },
}

impl GroupMember {
    pub(super) fn new(changes: mpsc::Sender<Change>, metrics: &Metrics) -> Self {
        let broker_up = metrics.gauge(&DEPENDENCY_UP, &["broker"]);
        Self { changes, broker_up }
    }
}

impl ClientContext for GroupMember {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        client::log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        client::log_error(&error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let connected = statistics.brokers.values().any(|broker| broker.state == "UP");
        self.broker_up.set(if connected { 1.0 } else { 0.0 });
    }
}

impl ConsumerContext for GroupMember {
    /// Passes the change on to the task that can wait for what is in flight. The client calls this while it is polled,
    /// so it must not block.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let partitions = partitions.clone();
        let change = match kind {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Take(partitions),
            _ => Change::Give {
                partitions,
                lost: consumer.assignment_lost(),
            },
        };
        // Nobody listens any more while the client is being closed; the group never asks twice without an answer.
        if let Err(unheard) = self.changes.try_send(change)
            && let Err(error) = answer(consumer, &unheard.into_inner())
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not answer a rebalance");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            // What is not committed is delivered again.
            tracing::debug!(error = &error as &dyn std::error::Error, "offsets were not committed");
        }
    }
}

/// Tells the group that its change is done.
pub(super) fn answer(consumer: &impl Consumer<GroupMember>, change: &Change) -> KafkaResult<()> {
    match (change, consumer.rebalance_protocol()) {
        (Change::Take(partitions), RebalanceProtocol::Cooperative) => consumer.incremental_assign(partitions),
        (Change::Take(partitions), _) => consumer.assign(partitions),
        (Change::Give { partitions, .. }, RebalanceProtocol::Cooperative) => consumer.incremental_unassign(partitions),
        (Change::Give { .. }, _) => consumer.unassign(),
    }
}
