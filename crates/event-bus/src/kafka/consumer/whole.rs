//! A replica that has its group for itself: it reads every partition, from the end on.
//!
//! Nobody has to agree on who reads what, so the group is never joined and nothing is committed: the client's own position
//! is the only one. It outlives every outage of the brokers, however long, and with it nothing that came in between is
//! passed over. A group whose session ends would begin at the end again, and say nothing of what it left out.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use catalogue::Service;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    error::{KafkaError, KafkaResult},
    metadata::{MetadataPartition, MetadataTopic},
};
use tokio::{sync::watch, task::spawn_blocking, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{ConsumeError, assignment::Assignment, group::GroupMember};
use crate::work::Work;

/// Time that the brokers have to answer one question.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause between two looks for the partitions while some are missing.
const FIRST_LOOKS: Duration = Duration::from_millis(500);
/// Pause between two looks for partitions that were added.
const LATER_LOOKS: Duration = Duration::from_secs(10);

/// All partitions of the topics of a service.
pub(super) struct Whole {
    consumer: Arc<StreamConsumer<GroupMember>>,
    /// Names on the brokers, with the number of partitions that are read: the first so many.
    taken: BTreeMap<String, i32>,
    in_position: watch::Sender<bool>,
}

impl Whole {
    pub(super) fn new(
        service: &Service,
        prefix: &str,
        consumer: Arc<StreamConsumer<GroupMember>>,
        in_position: watch::Sender<bool>,
    ) -> Self {
        let topics = service.reads_topics().map(|topic| (format!("{prefix}{topic}"), 0));
        Self {
            consumer,
            taken: topics.collect(),
            in_position,
        }
    }

    /// Reads everything until `stop`.
    pub(super) async fn run<H: Work>(
        mut self,
        assignment: &mut Assignment<H>,
        stop: &CancellationToken,
    ) -> Result<(), ConsumeError> {
        let consumer = Arc::clone(&self.consumer);
        let worker_ended = assignment.worker_ended();
        tokio::select! {
            biased;
            () = stop.cancelled() => Ok(()),
            () = worker_ended.cancelled() => Err(ConsumeError::WorkerEnded),
            ended = poll(&consumer) => Err(ended),
            ended = self.keep_taking(assignment) => Err(ended),
        }
    }

    async fn keep_taking<H: Work>(&mut self, assignment: &mut Assignment<H>) -> ConsumeError {
        loop {
            match self.take(assignment).await {
                Ok(()) => {}
                Err(Failure::Look(error)) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not look for partitions; trying again"
                ),
                Err(Failure::Take(error)) => return ConsumeError::Refused(error),
            }
            let complete = self.taken.values().all(|count| *count > 0);
            if complete && !self.in_position.send_replace(true) {
                tracing::info!("every partition is read from its end on");
            }
            sleep(if complete { LATER_LOOKS } else { FIRST_LOOKS }).await;
        }
    }

    /// Takes the partitions that are not taken yet. Before this replica is in position nobody relies on it, and they
    /// begin at their end; a partition that is added later is read from its first record.
    async fn take<H: Work>(&mut self, assignment: &mut Assignment<H>) -> Result<(), Failure> {
        let (consumer, taken, from_the_end) = (
            Arc::clone(&self.consumer),
            self.taken.clone(),
            !*self.in_position.borrow(),
        );
        let looked = spawn_blocking(move || look(&consumer, &taken, from_the_end)).await;
        let found = looked
            .map_err(|_| Failure::Look(KafkaError::Canceled))?
            .map_err(Failure::Look)?;
        if found.count() == 0 {
            return Ok(());
        }
        assignment.take(&found).map_err(Failure::Take)?;
        for element in found.elements() {
            let count = self.taken.entry(element.topic().to_owned()).or_default();
            *count = (*count).max(element.partition() + 1);
        }
        Ok(())
    }
}

enum Failure {
    /// The brokers do not answer: they will.
    Look(KafkaError),
    Take(KafkaError),
}

/// The partitions beyond those that are taken, each with the offset to begin at. Blocks.
fn look(
    consumer: &StreamConsumer<GroupMember>,
    taken: &BTreeMap<String, i32>,
    from_the_end: bool,
) -> KafkaResult<TopicPartitionList> {
    let mut found = TopicPartitionList::new();
    for (topic, count) in taken {
        let metadata = consumer.fetch_metadata(Some(topic), QUESTION_TIMEOUT)?;
        // A topic that is not there has none.
        let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
        for partition in partitions.map(MetadataPartition::id).filter(|id| id >= count) {
            let offset = if from_the_end {
                let (_, end) = consumer.fetch_watermarks(topic, partition, QUESTION_TIMEOUT)?;
                Offset::Offset(end)
            } else {
                Offset::Beginning
            };
            found.add_partition_offset(topic, partition, offset)?;
        }
    }
    Ok(found)
}

/// Serves the client's own events; records come by the queues of their partitions.
async fn poll(consumer: &StreamConsumer<GroupMember>) -> ConsumeError {
    loop {
        match consumer.recv().await {
            Ok(_record) => return ConsumeError::StrayRecord,
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return ConsumeError::Refused(error),
            // Logged by the client, which tries again by itself.
            Err(_transient) => {}
        }
    }
}
