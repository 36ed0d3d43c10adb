//! The task of one partition.

use std::{sync::Arc, time::Duration};

use catalogue::Subscription;
use rdkafka::consumer::{Consumer as _, StreamConsumer, stream_consumer::StreamPartitionQueue};
use tokio_util::sync::CancellationToken;

use super::{
    group::GroupMember,
    record::Record,
    settle::{Settled, Settler},
};
use crate::{crash_point, work::Work};

/// Pause after an error of the partition, such as a leader that moves.
const ERROR_PAUSE: Duration = Duration::from_millis(500);

/// The task of one partition: its records, one after another.
pub(super) struct Worker<H> {
    pub(super) consumer: Arc<StreamConsumer<GroupMember>>,
    pub(super) queue: StreamPartitionQueue<GroupMember>,
    pub(super) partition: i32,
    pub(super) subscription: &'static Subscription,
    pub(super) settler: Arc<Settler<H>>,
    pub(super) stopping: CancellationToken,
}

impl<H: Work> Worker<H> {
    /// Runs until it is asked to stop. A record that is not settled then comes again, here or elsewhere.
    pub(super) async fn run(self) {
        while let Some(record) = self.next().await {
            match self.settler.settle(&record, self.subscription, &self.stopping).await {
                Settled::Yes => self.acknowledge(&record),
                Settled::Interrupted => return,
            }
        }
    }

    async fn next(&self) -> Option<Record> {
        loop {
            let received = self.stopping.run_until_cancelled(self.queue.recv()).await?;
            match received {
                Ok(message) => return Some(Record::from(&message)),
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        topic = self.subscription.topic,
                        partition = self.partition,
                        "could not read"
                    );
                    self.stopping
                        .run_until_cancelled(tokio::time::sleep(ERROR_PAUSE))
                        .await?;
                }
            }
        }
    }

    /// Stores the offset behind the record; it is committed with the next ones.
    fn acknowledge(&self, record: &Record) {
        crash_point!("consumer.before_ack");
        if let Err(error) = self
            .consumer
            .store_offset(&record.topic, record.partition, record.offset)
        {
            // The partition was lost meanwhile: whoever has it now handles the record again.
            tracing::info!(error = &error as &dyn std::error::Error, "an offset was not stored");
        }
        crash_point!("consumer.after_ack");
    }
}
