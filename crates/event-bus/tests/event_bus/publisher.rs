//! Publishing to real brokers, and to none.

use std::time::{Duration, Instant};

use bytes::Bytes;
use catalogue::{app_ids, delivery::PUBLISH_DEADLINE, metrics::DEPENDENCY_UP, topics};
use event_bus::kafka::{KafkaSettings, Password, PublishError, Publisher, SaslMechanism, Security};
use test_kit::{Topics, free_port};

use crate::{sample::task_updated, support};

#[tokio::test]
async fn a_batch_arrives_in_order_with_its_header() {
    let topics = Topics::create(&[(topics::TASK_EVENTS, 1)]).await;
    let batch: Vec<_> = (1..=500)
        .map(|version| task_updated(version % 7 + 1, version))
        .collect();
    for result in support::publisher(&topics).publish(&batch).await {
        result.unwrap();
    }
    let records = support::read(&topics, topics::TASK_EVENTS, batch.len()).await;
    for (record, sent) in records.iter().zip(&batch) {
        assert_eq!(record.value.as_deref(), Some(sent.value.as_ref()));
        assert_eq!(record.key.as_deref(), Some(sent.key.as_bytes()));
        assert_eq!(
            record.header("content-type"),
            Some("application/cloudevents+json; charset=UTF-8")
        );
    }
}

#[tokio::test]
async fn an_event_that_is_too_large_holds_back_only_its_key() {
    let topics = Topics::create(&[(topics::TASK_EVENTS, 3)]).await;
    let mut large = task_updated(1, 1);
    large.value = Bytes::from(vec![b' '; topics::MAX_EVENT_BYTES as usize]);
    let results = support::publisher(&topics)
        .publish(&[large, task_updated(1, 2), task_updated(2, 1)])
        .await;
    assert!(
        matches!(
            &results[..],
            [Err(PublishError::TooLarge), Err(PublishError::Behind), Ok(())]
        ),
        "{results:?}"
    );
}

#[tokio::test]
async fn the_largest_event_fits() {
    let topics = Topics::create(&[(topics::TASK_EVENTS, 1)]).await;
    let mut large = task_updated(1, 1);
    large.value = noise(topics::MAX_EVENT_BYTES as usize - 1024 - large.key.len());
    let results = support::publisher(&topics).publish(&[large]).await;
    assert!(matches!(&results[..], [Ok(())]), "{results:?}");
}

/// Bytes that no compression makes smaller.
fn noise(size_bytes: usize) -> Bytes {
    use rand::{RngCore as _, SeedableRng as _};
    let mut bytes = vec![0; size_bytes];
    rand::rngs::StdRng::seed_from_u64(1).fill_bytes(&mut bytes);
    bytes.into()
}

#[tokio::test]
async fn nothing_overtakes_what_the_brokers_refuse() {
    let topics = Topics::create(&[(topics::TASK_EVENTS, 1)]).await;
    support::limit_batches(&topics, topics::TASK_EVENTS, 100_000).await;
    let publisher = support::publisher(&topics);
    // Two batches of a megabyte that compress to nothing, but for one record in the first.
    let mut events: Vec<_> = (1..=36).map(|version| task_updated(1, version)).collect();
    for event in &mut events {
        event.value = Bytes::from(vec![b' '; 50_000]);
    }
    events[2].value = noise(150_000);
    let results = publisher.publish(&events).await;
    assert!(results.iter().all(Result::is_err), "{results:?}");
    assert_eq!(
        support::count(&topics, topics::TASK_EVENTS),
        0,
        "a later event is in the topic already"
    );

    events.remove(2);
    for result in publisher.publish(&events).await {
        result.unwrap();
    }
}

#[tokio::test]
async fn without_brokers_a_publish_fails_in_bounded_time() {
    let metrics = support::metrics(app_ids::CHAT_API);
    let publisher = Publisher::new(&nowhere(Security::Plaintext), &metrics).unwrap();
    metrics.gauge(&DEPENDENCY_UP, &["broker"]).set(1.0);
    let begun = Instant::now();
    let results = publisher
        .publish(&[task_updated(1, 1), task_updated(1, 2), task_updated(2, 1)])
        .await;
    assert!(begun.elapsed() < PUBLISH_DEADLINE + Duration::from_secs(1));
    assert!(
        matches!(
            &results[..],
            [
                Err(PublishError::TimedOut),
                Err(PublishError::TimedOut),
                Err(PublishError::TimedOut)
            ]
        ),
        "{results:?}"
    );
    assert!(metrics.gauge(&DEPENDENCY_UP, &["broker"]).get() < 1.0);
}

#[tokio::test]
async fn what_failed_is_published_by_the_next_attempt() {
    let mut topics = Topics::create(&[(topics::REMINDERS, 1)]).await;
    let publisher = support::publisher(&topics);
    let batch = [task_updated(1, 1), task_updated(1, 2)];
    let results = publisher.publish(&batch).await;
    assert!(
        results.iter().all(Result::is_err),
        "there is no such topic: {results:?}"
    );

    topics.add(&[(topics::TASK_EVENTS, 1)]).await;
    for result in publisher.publish(&batch).await {
        result.unwrap();
    }
    let records = support::read(&topics, topics::TASK_EVENTS, 2).await;
    for (record, sent) in records.iter().zip(&batch) {
        assert_eq!(record.value.as_deref(), Some(sent.value.as_ref()));
    }
}

#[test]
fn passwords_make_a_client_and_are_shown_to_nobody() {
    for mechanism in SaslMechanism::ALL {
        let settings = nowhere(Security::SaslTls {
            ca_file: None,
            mechanism,
            username: "chat-api".to_owned(),
            password: Password("hunter2".to_owned()),
        });
        assert!(!format!("{settings:?}").contains("hunter2"));
        Publisher::new(&settings, &support::metrics(app_ids::CHAT_API)).unwrap();
    }
}

#[test]
fn a_missing_certificate_is_told_at_once() {
    let settings = nowhere(Security::Tls {
        ca_file: Some("/nowhere/ca.pem".into()),
        certificate_file: "/nowhere/certificate.pem".into(),
        key_file: "/nowhere/key.pem".into(),
    });
    let refused = Publisher::new(&settings, &support::metrics(app_ids::CHAT_API))
        .err()
        .expect("it is refused");
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains("ssl.ca.location"), "{cause}");
}

/// Settings for brokers that are not there.
fn nowhere(security: Security) -> KafkaSettings {
    KafkaSettings {
        brokers: format!("127.0.0.1:{}", free_port()),
        security,
        prefix: String::new(),
    }
}
