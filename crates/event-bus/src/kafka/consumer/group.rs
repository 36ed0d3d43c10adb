//! The side of the consumer that the client calls: rebalances, health, log.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use catalogue::metrics::DEPENDENCY_UP;
use metrics::{Gauge, Metrics};
use rdkafka::{
    ClientContext, Statistics, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol, StreamConsumer},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use tokio::sync::Notify;

use super::client;

/// This replica as a member of its group.
///
/// The group asks for one change at a time, waits until it is answered, and would wait for ever.
pub(super) struct GroupMember {
    asked: Mutex<Asked>,
    asks: Notify,
    broker_up: Gauge,
}

enum Asked {
    Nothing,
    For(Change),
    /// Nobody listens any more: changes are answered where they are asked for.
    InVain,
}

/// What the group asks of this replica.
#[derive(Clone)]
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
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            asked: Mutex::new(Asked::Nothing),
            asks: Notify::new(),
            broker_up: metrics.gauge(&DEPENDENCY_UP, &["broker"]),
        }
    }

    /// Waits until the group asks for a change. The same one is given again until it is answered.
    pub(super) async fn asked_change(&self) -> Change {
        loop {
            if let Asked::For(change) = &*self.asked() {
                return change.clone();
            }
            self.asks.notified().await;
        }
    }

    /// Tells the group that what it asked for is done.
    pub(super) fn answer(&self, consumer: &impl Consumer<Self>) -> KafkaResult<()> {
        match mem::replace(&mut *self.asked(), Asked::Nothing) {
            Asked::For(change) => change.answer(consumer),
            Asked::Nothing | Asked::InVain => Ok(()),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who does what the group asks for. When this is dropped, nobody does: then the group is answered at once,
/// so that the client can be closed.
pub(super) struct Listener(pub(super) Arc<StreamConsumer<GroupMember>>);

impl Drop for Listener {
    fn drop(&mut self) {
        let asked = mem::replace(&mut *self.0.context().asked(), Asked::InVain);
        if let Asked::For(change) = asked {
            change.answer_in_vain(&*self.0);
        }
    }
}

impl Change {
    fn answer(&self, consumer: &impl Consumer<GroupMember>) -> KafkaResult<()> {
        match (self, consumer.rebalance_protocol()) {
            (Self::Take(partitions), RebalanceProtocol::Cooperative) => consumer.incremental_assign(partitions),
            (Self::Take(partitions), _) => consumer.assign(partitions),
            (Self::Give { partitions, .. }, RebalanceProtocol::Cooperative) => {
                consumer.incremental_unassign(partitions)
            }
            (Self::Give { .. }, _) => consumer.unassign(),
        }
    }

    /// Nothing runs any more that an error could stop.
    fn answer_in_vain(&self, consumer: &impl Consumer<GroupMember>) {
        if let Err(error) = self.answer(consumer) {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not answer a rebalance");
        }
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
    /// Leaves the change to the task that can wait for what is in flight. The client calls this while it is polled, so
    /// it must not block.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let partitions = partitions.clone();
        let change = match kind {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Take(partitions),
            _ => Change::Give {
                partitions,
                lost: consumer.assignment_lost(),
            },
        };
        let mut asked = self.asked();
        if matches!(*asked, Asked::InVain) {
            change.answer_in_vain(consumer);
        } else {
            *asked = Asked::For(change);
            self.asks.notify_one();
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            // What is not committed is delivered again.
            tracing::debug!(error = &error as &dyn std::error::Error, "offsets were not committed");
        }
    }
}
