//! What stands in a topic, and how far its readers are.

use std::{fmt::Display, time::Duration};

use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    producer::{BaseProducer, BaseRecord, Producer as _},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// A topic on a broker. Its functions block.
#[derive(Clone)]
pub struct Log {
    brokers: String,
    topic: String,
}

/// A record as it lies there.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
}

impl Log {
    /// The topic of this name on the broker.
    pub fn new(brokers: &str, topic: String) -> Self {
        Self {
            brokers: brokers.to_owned(),
            topic,
        }
    }

    /// How many records were ever written, retried ones included.
    pub fn end(&self) -> Result<i64, String> {
        let consumer = self.consumer("end");
        let ends = self.ends(&consumer)?;
        Ok(ends.iter().map(|(_, end)| end).sum())
    }

    /// How many records the group has not committed yet.
    pub fn lag(&self, group: &str) -> Result<i64, String> {
        let consumer = self.consumer(group);
        let ends = self.ends(&consumer)?;
        let mut asked = TopicPartitionList::new();
        for (partition, _) in &ends {
            asked.add_partition(&self.topic, *partition);
        }
        let committed = consumer.committed_offsets(asked, PATIENCE).map_err(text)?;
        let lag = ends.iter().map(|(partition, end)| {
            let at = committed.find_partition(&self.topic, *partition);
            match at.map(|it| it.offset()) {
                Some(Offset::Offset(offset)) => end - offset,
                _ => *end,
            }
        });
        Ok(lag.sum())
    }

    /// Every record, by partition in its order.
    pub fn records(&self) -> Result<Vec<Record>, String> {
        let consumer = self.consumer("records");
        let ends = self.ends(&consumer)?;
        let wanted = usize::try_from(ends.iter().map(|(_, end)| end).sum::<i64>()).map_err(text)?;
        let mut partitions = TopicPartitionList::new();
        for (partition, _) in ends {
            partitions
                .add_partition_offset(&self.topic, partition, Offset::Beginning)
                .map_err(text)?;
        }
        consumer.assign(&partitions).map_err(text)?;
        let mut records = Vec::new();
        while records.len() < wanted {
            let record = consumer.poll(PATIENCE).ok_or("records do not come")?.map_err(text)?;
            records.push(Record {
                partition: record.partition(),
                key: String::from_utf8_lossy(record.key().unwrap_or_default()).into_owned(),
                value: record.payload().unwrap_or_default().to_vec(),
            });
        }
        Ok(records)
    }

    /// Puts a record into the topic that none of the services has made.
    pub fn intrude(&self, key: &str, value: &str) {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .create()
            .expect("the settings are valid");
        let record = BaseRecord::to(&self.topic).key(key).payload(value);
        producer.send(record).expect("there is place for one record");
        producer.flush(PATIENCE).expect("the broker takes it");
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("fetch.queue.backoff.ms", "10")
            .create()
            .expect("the settings are valid")
    }

    fn ends(&self, consumer: &BaseConsumer) -> Result<Vec<(i32, i64)>, String> {
        let metadata = consumer.fetch_metadata(Some(&self.topic), PATIENCE).map_err(text)?;
        let topic = metadata.topics().first().ok_or("no such topic")?;
        let end = |partition: i32| {
            let (_, end) = consumer
                .fetch_watermarks(&self.topic, partition, PATIENCE)
                .map_err(text)?;
            Ok((partition, end))
        };
        topic.partitions().iter().map(|it| end(it.id())).collect()
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}
