//! The partitions that this replica has, each with its task.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use catalogue::{Service, Subscription, metrics::CONSUMER_ASSIGNED_PARTITIONS};
use metrics::Metrics;
use rdkafka::{
    TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::{KafkaError, KafkaResult},
};
use tokio::time::{Instant, timeout_at};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    ConsumerSettings,
    group::{Change, GroupMember},
    settle::Settler,
    worker::Worker,
};

/// A partition: the subscription's topic, and the number from 0.
type Partition = (&'static str, i32);

/// The partitions that this replica has, each with its task.
pub(super) struct Assignment<H> {
    service: &'static Service,
    prefix: String,
    drain: Duration,
    consumer: Arc<StreamConsumer<GroupMember>>,
    settler: Arc<Settler<H>>,
    metrics: Metrics,
    running: BTreeMap<Partition, Running>,
    worker_ended: CancellationToken,
}

struct Running {
    /// Asks the worker to finish what it has begun, and to begin nothing.
    stopping: CancellationToken,
    task: AbortOnDropHandle<()>,
}

/// Tells when a worker ends that nobody asked to; also when it panics.
struct Unasked {
    stopping: CancellationToken,
    ended: CancellationToken,
}

impl Drop for Unasked {
    fn drop(&mut self) {
        if !self.stopping.is_cancelled() {
            self.ended.cancel();
        }
    }
}

impl<H: crate::work::Work> Assignment<H> {
    pub(super) fn new(
        service: &'static Service,
        settings: &ConsumerSettings,
        consumer: Arc<StreamConsumer<GroupMember>>,
        settler: Settler<H>,
        metrics: &Metrics,
    ) -> Self {
        Self {
            service,
            prefix: settings.kafka.prefix.clone(),
            drain: settings.drain,
            consumer,
            settler: Arc::new(settler),
            metrics: metrics.clone(),
            running: BTreeMap::new(),
            worker_ended: CancellationToken::new(),
        }
    }

    /// Cancelled when a worker ends that nobody asked to.
    pub(super) fn worker_ended(&self) -> CancellationToken {
        self.worker_ended.clone()
    }

    /// Does what the group asks, then tells it so. In between the group waits for this replica, and nobody else has
    /// the partitions yet.
    pub(super) async fn apply(&mut self, change: Change) -> KafkaResult<()> {
        match &change {
            Change::Take(partitions) => {
                tracing::info!(partitions = %list(partitions), "taking partitions");
                // Before the answer, so that no record reaches the common queue.
                self.start(partitions)?;
            }
            Change::Give { partitions, lost } => {
                tracing::info!(partitions = %list(partitions), lost, "giving partitions back");
                let patience = if *lost { Duration::ZERO } else { self.drain };
                let given = self.remove(partitions);
                stop(given, Instant::now() + patience).await;
            }
        }
        let answered = self.consumer.context().answer(&*self.consumer);
        self.count();
        answered
    }

    /// Takes partitions that no group asked to take, each at the offset that stands in the list.
    pub(super) fn take(&mut self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        tracing::info!(partitions = %list(partitions), "taking partitions");
        // Before the client reads, so that no record reaches the common queue.
        self.start(partitions)?;
        self.consumer.incremental_assign(partitions)?;
        self.count();
        Ok(())
    }

    /// Finishes what is in flight on all partitions; what is not done by the deadline is dropped and comes again.
    pub(super) async fn stop_all(&mut self, deadline: Instant) {
        stop(std::mem::take(&mut self.running), deadline).await;
        self.count();
    }

    fn start(&mut self, partitions: &TopicPartitionList) -> KafkaResult<()> {
        for element in partitions.elements() {
            let subscription = self.subscription(element.topic());
            let queue = self
                .consumer
                .split_partition_queue(element.topic(), element.partition())
                .ok_or_else(|| KafkaError::Subscription(format!("no queue for {}", element.topic())))?;
            let stopping = CancellationToken::new();
            let worker = Worker {
                consumer: Arc::clone(&self.consumer),
                queue,
                partition: element.partition(),
                subscription,
                settler: Arc::clone(&self.settler),
                stopping: stopping.clone(),
            };
            let unasked = Unasked {
                stopping: stopping.clone(),
                ended: self.worker_ended.clone(),
            };
            let task = AbortOnDropHandle::new(tokio::spawn(async move {
                let _unasked = unasked;
                worker.run().await;
            }));
            self.running
                .insert((subscription.topic, element.partition()), Running { stopping, task });
        }
        Ok(())
    }

    fn remove(&mut self, partitions: &TopicPartitionList) -> BTreeMap<Partition, Running> {
        partitions
            .elements()
            .iter()
            .filter_map(|element| {
                let partition = (self.subscription(element.topic()).topic, element.partition());
                self.running.remove_entry(&partition)
            })
            .collect()
    }

    fn subscription(&self, topic: &str) -> &'static Subscription {
        let name = topic.strip_prefix(&self.prefix);
        let found = self.service.consumes.iter().find(|it| Some(it.topic) == name);
        found.expect("only subscribed topics are assigned")
    }

    fn count(&self) {
        for topic in self.service.reads_topics() {
            let partitions = self.running.keys().filter(|(name, _)| *name == topic).count();
            let partitions = f64::from(u32::try_from(partitions).unwrap_or(u32::MAX));
            self.metrics
                .gauge(&CONSUMER_ASSIGNED_PARTITIONS, &[topic])
                .set(partitions);
        }
    }
}

/// Asks all of them to finish, then waits for each; aborts what is not done by the deadline.
async fn stop(workers: BTreeMap<Partition, Running>, deadline: Instant) {
    for running in workers.values() {
        running.stopping.cancel();
    }
    for ((topic, partition), mut running) in workers {
        if timeout_at(deadline, &mut running.task).await.is_err() {
            tracing::info!(
                topic,
                partition,
                "a partition is cut off; what it has in flight comes again"
            );
            running.task.abort();
            // Ends at its next await: nothing of it runs when another replica begins.
            let _ = running.task.await;
        }
    }
}

fn list(partitions: &TopicPartitionList) -> String {
    let names: Vec<String> = partitions
        .elements()
        .iter()
        .map(|element| format!("{}/{}", element.topic(), element.partition()))
        .collect();
    names.join(" ")
}
