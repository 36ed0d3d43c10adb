//! Groups: who gets what, from where on.

use std::sync::Arc;

use catalogue::{
    metrics::{CONSUMER_ASSIGNED_PARTITIONS, CONSUMER_REBALANCES_TOTAL, DEPENDENCY_UP, EVENTS_HANDLED_TOTAL},
    services::WEBSOCKET,
    topics::{REMINDERS, TASK_EVENTS},
};
use event_bus::{Cause, Outcome, kafka::ConsumerSettings};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewPartitions},
    client::DefaultClientContext,
};
use test_kit::{Topics, wait_until};
use tokio::{sync::Semaphore, time::timeout};

use super::{Kafka, KafkaReplica, Replica as _, Transport as _};
use crate::{
    contract::{
        RETRY,
        journal::{Answer, Journal},
    },
    sample::task_updated,
    support::{self, PATIENCE},
};

#[tokio::test]
async fn a_new_shared_group_begins_at_the_oldest_event_and_goes_on_where_it_was() {
    let kafka = Kafka::start(1).await;
    let journal = Journal::applying();
    kafka.publish(&[task_updated(1, 1), task_updated(1, 2)]).await;
    let replica = kafka.join(Arc::clone(&journal), RETRY);
    journal.has_applied(2).await;
    replica.stop().await;
    kafka.publish(&[task_updated(1, 3)]).await;
    let replica = kafka.join(Arc::clone(&journal), RETRY);
    journal.has_applied(3).await;
    replica.stop().await;
    assert_eq!(journal.delivery_count(), 3);
}

#[tokio::test]
async fn partitions_are_shared_and_a_handover_delivers_nothing_twice() {
    let kafka = Kafka::start(6).await;
    let journal = Journal::applying();
    let first = kafka.join(Arc::clone(&journal), RETRY);
    has_partitions(&first, 6).await;
    let mut version = 0;
    let mut publish_more = async || {
        version += 1;
        let events: Vec<_> = (1..=40).map(|task| task_updated(task, version)).collect();
        kafka.publish(&events).await;
    };
    publish_more().await;
    journal.has_applied(1).await;
    let second = kafka.join(Arc::clone(&journal), RETRY);
    publish_more().await;
    tokio::join!(has_partitions(&first, 3), has_partitions(&second, 3));
    publish_more().await;
    first.stop().await;
    publish_more().await;
    has_partitions(&second, 6).await;
    journal.has_applied(160).await;
    second.stop().await;
    assert_eq!((journal.delivery_count(), journal.duplicates()), (160, 0));
}

#[tokio::test]
async fn a_partition_moves_when_what_is_in_flight_is_done() {
    let kafka = Kafka::start(6).await;
    let gate = Arc::new(Semaphore::new(0));
    let journal = Journal::scripted({
        let gate = Arc::clone(&gate);
        move |_, _| Answer::ApplyAfter(Arc::clone(&gate))
    });
    let events: Vec<_> = (1..=40).map(|task| task_updated(task, 1)).collect();
    kafka.publish(&events).await;
    let first = kafka.join(Arc::clone(&journal), RETRY);
    wait_until("as much is in flight as may be", PATIENCE, async || {
        let in_flight = journal.delivery_count();
        if in_flight == 4 { Ok(()) } else { Err(in_flight) }
    })
    .await;
    let rebalances = first.metrics().counter(&CONSUMER_REBALANCES_TOTAL, &[]);
    let before = rebalances.get();
    let second = kafka.join(Arc::clone(&journal), RETRY);
    wait_until("the first replica is asked to give", PATIENCE, async || {
        if rebalances.get() > before {
            Ok(())
        } else {
            Err("it is not")
        }
    })
    .await;
    gate.add_permits(1_000);
    tokio::join!(has_partitions(&first, 3), has_partitions(&second, 3));
    journal.has_applied(events.len()).await;
    first.stop().await;
    second.stop().await;
    assert_eq!((journal.delivery_count(), journal.duplicates()), (events.len(), 0));
}

#[tokio::test]
async fn the_group_and_the_brokers_are_measured() {
    let kafka = Kafka::start(2).await;
    let replica = kafka.join(Journal::applying(), RETRY);
    has_partitions(&replica, 2).await;
    assert!(replica.metrics().counter(&CONSUMER_REBALANCES_TOTAL, &[]).get() >= 1);
    wait_until("the brokers are up", PATIENCE, async || {
        let up = replica.metrics().gauge(&DEPENDENCY_UP, &["broker"]).get();
        if up > 0.0 { Ok(()) } else { Err(up) }
    })
    .await;
    let metrics = replica.metrics().clone();
    replica.stop().await;
    assert!(metrics.gauge(&CONSUMER_ASSIGNED_PARTITIONS, &[TASK_EVENTS]).get() < 0.1);
}

#[tokio::test]
async fn replicas_with_groups_of_their_own_see_everything_from_now_on() {
    const POISON: i64 = 13;
    let topics = Topics::create(&[(TASK_EVENTS, 1), (REMINDERS, 1)]).await;
    let kafka = Kafka::new(support::settings(&topics), Some(topics));
    let before = task_updated(1, 1);
    kafka.publish(std::slice::from_ref(&before)).await;
    let join = |name: &str| {
        let journal = Journal::scripted(|task, _| match task {
            POISON => Answer::Say(Outcome::DeadLetter(Cause::rejected("told to"))),
            _ => Answer::Apply,
        });
        let settings = ConsumerSettings::new(kafka.settings.clone(), name);
        let in_position = settings.in_position.subscribe();
        let replica = KafkaReplica::join(&WEBSOCKET, settings, Arc::clone(&journal));
        (replica, journal, in_position)
    };
    let mut replicas = [join("websocket-1"), join("websocket-2")];
    for (_, _, in_position) in &mut replicas {
        timeout(PATIENCE, in_position.wait_for(|it| *it))
            .await
            .unwrap()
            .unwrap();
    }
    // From here on nothing is missed.
    let version = 2;
    kafka.publish(&[task_updated(1, version)]).await;
    // Nobody is left to give a poisonous event to: it is passed over.
    kafka
        .publish(&[task_updated(POISON, 1), task_updated(1, version + 1)])
        .await;
    for (replica, journal, _) in replicas {
        journal.has_applied_version(1, version + 1).await;
        assert_eq!(journal.deliveries(before.event_id), 0);
        let seen = journal.applied(1);
        assert_eq!(seen, [version, version + 1]);
        let given_up = replica
            .metrics()
            .counter(&EVENTS_HANDLED_TOTAL, &[TASK_EVENTS, "dead_letter"]);
        assert_eq!(given_up.get(), 1);
        replica.stop().await;
    }
}

#[tokio::test]
async fn partitions_that_are_added_are_read_from_their_beginning() {
    let mut topics = Topics::create(&[(TASK_EVENTS, 1)]).await;
    let settings = support::settings(&topics);
    let journal = Journal::applying();
    let consuming = ConsumerSettings::new(settings.clone(), "websocket-1");
    let mut in_position = consuming.in_position.subscribe();
    let replica = KafkaReplica::join(&WEBSOCKET, consuming, Arc::clone(&journal));
    has_partitions(&replica, 1).await;
    // A topic that is not there yet is waited for: what is published to it later would be missed.
    assert!(!*in_position.borrow());
    topics.add(&[(REMINDERS, 1)]).await;
    timeout(PATIENCE, in_position.wait_for(|it| *it))
        .await
        .unwrap()
        .unwrap();

    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", topics.brokers())
        .create()
        .unwrap();
    let name = topics.name(TASK_EVENTS);
    let more = [NewPartitions::new(&name, 12)];
    admin.create_partitions(&more, &AdminOptions::new()).await.unwrap()[0]
        .as_ref()
        .unwrap();
    // The publisher is new and knows them; the replica looks now and then.
    let kafka = Kafka::new(settings, Some(topics));
    let events: Vec<_> = (1..=60).map(|task| task_updated(task, 1)).collect();
    kafka.publish(&events).await;
    has_partitions(&replica, 12).await;
    journal.has_applied(events.len()).await;
    replica.stop().await;
    assert_eq!(journal.delivery_count(), events.len());
}

async fn has_partitions(replica: &KafkaReplica, count: u32) {
    wait_until(&format!("the replica has {count} partitions"), PATIENCE, async || {
        let has = replica
            .metrics()
            .gauge(&CONSUMER_ASSIGNED_PARTITIONS, &[TASK_EVENTS])
            .get();
        if (has - f64::from(count)).abs() < 0.1 {
            Ok(())
        } else {
            Err(has)
        }
    })
    .await;
}
