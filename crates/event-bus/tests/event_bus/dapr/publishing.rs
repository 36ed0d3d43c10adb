//! Publishing through a sidecar, and without one.

use std::time::{Duration, Instant};

use catalogue::{app_ids, delivery::PUBLISH_DEADLINE, metrics::DEPENDENCY_UP, topics};
use event_bus::{PublishError, dapr, partition_for_key};

use super::{Dapr, nowhere, settings};
use crate::{contract::Transport as _, sample::task_updated, support};

#[tokio::test]
async fn records_are_those_of_the_direct_transport_byte_for_byte() {
    const PARTITIONS: i32 = 5;
    let dapr = Dapr::start(PARTITIONS).await;
    let batch: Vec<_> = (1..=60)
        .map(|version| task_updated(version % 20 + 1, version))
        .collect();
    dapr.publish(&batch).await;
    let records = support::read(dapr.topics(), topics::TASK_EVENTS, batch.len()).await;
    for record in &records {
        let sent = batch.iter().find(|it| record.value.as_deref() == Some(&*it.value));
        let sent = sent.expect("not a byte has changed");
        let partition = partition_for_key(sent.key.as_bytes(), PARTITIONS.cast_unsigned());
        assert_eq!(record.key.as_deref(), Some(sent.key.as_bytes()));
        assert_eq!(record.partition, partition.cast_signed());
        assert_eq!(record.header_names(), ["content-type"]);
        assert_eq!(
            record.header("content-type"),
            Some("application/cloudevents+json; charset=UTF-8")
        );
    }
}

#[tokio::test]
async fn without_a_sidecar_a_publish_fails_in_bounded_time() {
    let metrics = support::metrics(app_ids::CHAT_API);
    let publisher = dapr::Publisher::new(&settings(nowhere(), "", 3), &metrics).unwrap();
    let begun = Instant::now();
    let results = publisher.publish(&[task_updated(1, 1), task_updated(1, 2)]).await;
    assert!(begun.elapsed() < PUBLISH_DEADLINE + Duration::from_secs(1));
    assert!(
        matches!(
            &results[..],
            [Err(PublishError::Unreached(_)), Err(PublishError::Behind)]
        ),
        "{results:?}"
    );
    assert!(metrics.gauge(&DEPENDENCY_UP, &["broker"]).get() < 1.0);
}

#[tokio::test]
async fn a_wrong_token_publishes_nothing() {
    let dapr = Dapr::start(1).await;
    let (sidecar, _) = dapr.publishing.as_ref().unwrap();
    let mut settings = settings(sidecar.endpoint(), dapr.topics().prefix(), 1);
    settings.api_token.0 = "another".to_owned();
    let publisher = dapr::Publisher::new(&settings, &support::metrics(app_ids::CHAT_API)).unwrap();
    let results = publisher.publish(&[task_updated(1, 1)]).await;
    assert!(
        matches!(&results[..], [Err(PublishError::Sidecar(told))] if told.starts_with("401")),
        "{results:?}"
    );
    assert_eq!(support::count(dapr.topics(), topics::TASK_EVENTS), 0);
}
