//! The dead-letter topic that is away, and the one that refuses.

use std::sync::Arc;

use catalogue::{metrics::CONSUMPTION_PAUSED, topics};
use event_bus::dead_letter;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
};
use test_kit::{Topics, wait_until};

use super::{Kafka, Replica as _, Transport as _};
use crate::{
    contract::{
        RETRY, RawRecord,
        journal::{Answer, Journal, failed},
    },
    sample::task_updated,
    support::{self, PATIENCE},
};

#[tokio::test]
async fn the_offset_waits_for_the_dead_letter() {
    let topics = Topics::create(&[(topics::TASK_EVENTS, 1)]).await;
    let mut kafka = Kafka::new(support::settings(&topics), Some(topics));
    let journal = Journal::scripted(|task, _| {
        if task == 2 {
            Answer::Say(failed())
        } else {
            Answer::Apply
        }
    });
    kafka
        .publish(&[task_updated(1, 1), task_updated(2, 1), task_updated(3, 1)])
        .await;
    let replica = kafka.join(Arc::clone(&journal), RETRY);
    wait_until("the dead letter is held", PATIENCE, async || {
        let paused = replica.metrics().gauge(&CONSUMPTION_PAUSED, &[]).get();
        if paused > 0.0 { Ok(()) } else { Err(paused) }
    })
    .await;
    replica.stop().await;
    assert_eq!(committed(kafka.topics()), Offset::Offset(1), "behind the first event");
    assert_eq!(journal.applied_count(), 1);

    let topics = kafka.topics.as_mut().unwrap();
    topics.add(&[(topics::TASK_EVENTS_DLQ, 1)]).await;
    let replica = kafka.join(Arc::clone(&journal), RETRY);
    journal.has_applied(2).await;
    assert_eq!(kafka.dead_letters(1).await.len(), 1);
    replica.stop().await;
    assert_eq!(committed(kafka.topics()), Offset::Offset(3));
}

fn committed(topics: &Topics) -> Offset {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", topics.brokers())
        .set("group.id", format!("{}recurring-tasks", topics.prefix()))
        .create()
        .unwrap();
    let topic = topics.name(topics::TASK_EVENTS);
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition(&topic, 0);
    let committed = consumer.committed_offsets(partitions, PATIENCE).unwrap();
    committed.find_partition(&topic, 0).unwrap().offset()
}

#[tokio::test]
async fn a_value_that_the_twin_does_not_take_is_left_at_its_origin() {
    let kafka = Kafka::start(1).await;
    // A foreign producer compressed it; what it holds is larger than any record of ours.
    let value = vec![b'x'; topics::MAX_DEAD_LETTER_BYTES as usize];
    let (key, header) = (Some("1"), ("any", b"header".as_slice()));
    kafka
        .publish_raw(RawRecord {
            key,
            value: Some(&value),
            header,
        })
        .await;
    kafka.publish(&[task_updated(1, 1)]).await;
    let journal = Journal::applying();
    let replica = kafka.join(Arc::clone(&journal), RETRY);
    let letter = &kafka.dead_letters(1).await[0];
    assert_eq!(
        (letter.key.as_deref(), letter.value.as_deref()),
        (Some(b"1".as_slice()), None)
    );
    assert_eq!(letter.header(dead_letter::REASON), Some("not_json"));
    let size_bytes = value.len().to_string();
    assert_eq!(
        letter.header(dead_letter::OMITTED_VALUE_BYTES),
        Some(size_bytes.as_str())
    );
    assert_eq!(letter.header(dead_letter::ORIGIN_OFFSET), Some("0"));
    journal.has_applied(1).await;
    replica.stop().await;
}
