//! The end of consumption, in time.

use std::{sync::Arc, time::Duration};

use catalogue::{app_ids, services::RECURRING_TASKS};
use event_bus::kafka::{ConsumerSettings, KafkaSettings, Security, consume};
use test_kit::free_port;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Kafka, KafkaReplica, Replica as _, Transport as _};
use crate::{
    contract::{
        RETRY,
        journal::{Answer, Journal},
    },
    sample::task_updated,
    support,
};

#[tokio::test]
async fn a_delivery_that_does_not_end_is_left_to_the_next_replica() {
    let kafka = Kafka::start(1).await;
    let journal = Journal::scripted(|_, nth| if nth == 1 { Answer::Hang } else { Answer::Apply });
    let event = task_updated(1, 1);
    kafka.publish(std::slice::from_ref(&event)).await;
    let mut settings = ConsumerSettings::new(kafka.settings.clone(), "replica-1");
    settings.retry.attempt_timeout = Duration::from_hours(1);
    settings.drain = Duration::from_millis(500);
    let replica = KafkaReplica::join(&RECURRING_TASKS, settings, Arc::clone(&journal));
    journal.was_given(event.event_id, 1).await;
    timeout(Duration::from_secs(5), replica.stop())
        .await
        .expect("the deadline is half a second");
    assert_eq!(journal.applied_count(), 0);

    let replica = kafka.join(Arc::clone(&journal), RETRY);
    journal.has_applied(1).await;
    replica.stop().await;
}

#[tokio::test]
async fn consumption_that_is_dropped_leaves_the_group() {
    let kafka = Kafka::start(3).await;
    let journal = Journal::applying();
    let replica = kafka.join(Arc::clone(&journal), RETRY);
    kafka.publish(&[task_updated(1, 1)]).await;
    journal.has_applied(1).await;
    replica.consuming.abort();
    assert!(replica.consuming.await.unwrap_err().is_cancelled());

    let replica = kafka.join(Arc::clone(&journal), RETRY);
    kafka.publish(&[task_updated(1, 2)]).await;
    journal.has_applied(2).await;
    replica.stop().await;
}

#[tokio::test]
async fn without_brokers_consumption_begins_and_ends() {
    let kafka = KafkaSettings {
        brokers: format!("127.0.0.1:{}", free_port()),
        security: Security::Plaintext,
        prefix: String::new(),
    };
    let metrics = support::metrics(app_ids::RECURRING_TASKS);
    let settings = ConsumerSettings::new(kafka, "replica-1");
    let stop = CancellationToken::new();
    let consuming = consume(&RECURRING_TASKS, settings, Journal::applying(), &metrics, stop.clone());
    tokio::pin!(consuming);
    let early = timeout(Duration::from_secs(2), &mut consuming).await;
    assert!(early.is_err(), "brokers that are away are waited for: {early:?}");
    stop.cancel();
    let begun = Instant::now();
    timeout(Duration::from_secs(15), consuming)
        .await
        .expect("the drain is 10 s")
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "nothing is in flight: {:?}",
        begun.elapsed()
    );
}
