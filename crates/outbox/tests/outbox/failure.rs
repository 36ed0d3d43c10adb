//! A broker that is away, and events that it does not take.

use std::net::Ipv4Addr;

use catalogue::topics::TASK_EVENTS;
use event_bus::kafka::KafkaSettings;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};
use test_kit::{free_port, wait_until};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::support::{OFTEN, PATIENCE, World, change, tasks_in_slot_of};

/// Forwards connections to the broker, until dropped.
async fn forward(port: u16, broker: String) -> JoinSet<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let mut connections = JoinSet::new();
    connections.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut client, _)) = listener.accept().await {
            let broker = broker.clone();
            connections.spawn(async move {
                if let Ok(mut server) = TcpStream::connect(broker).await {
                    // Either side may hang up as it likes.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    connections
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_while_the_broker_was_away_is_published_in_order() {
    let world = World::new().await;
    let port = free_port();
    let kafka = KafkaSettings {
        brokers: format!("127.0.0.1:{port}"),
        ..world.kafka()
    };
    let relay = world.start_relay_to(&kafka, OFTEN);
    for round in 0..30 {
        for task in 1..=20 {
            world.write(task, &relay.bell).await;
        }
        if round == 0 {
            wait_until("publishing has failed", PATIENCE, async || {
                match relay.count("outbox_publish_failures_total") {
                    0 => Err("no failure"),
                    _ => Ok(()),
                }
            })
            .await;
        }
    }
    assert_eq!(world.unpublished().await, 600);
    wait_until("the gauges tell what waits", PATIENCE, async || {
        let (rows, age) = (relay.count("outbox_unpublished_rows"), relay.oldest_age_seconds());
        if rows == 600 && age > 1.0 {
            Ok(())
        } else {
            Err(format!("{rows} rows, {age} s"))
        }
    })
    .await;

    let forwarding = forward(port, world.topics.brokers().to_owned()).await;
    let log = world.published(600).await;
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    wait_until("the gauges fall", PATIENCE, async || {
        let (rows, age) = (relay.count("outbox_unpublished_rows"), relay.oldest_age_seconds());
        if rows == 0 && age < f64::EPSILON {
            Ok(())
        } else {
            Err(format!("{rows} rows, {age} s"))
        }
    })
    .await;
    relay.stop().await;
    drop(forwarding);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_comes_late_is_waited_for() {
    let world = World::new().await;
    let kafka = KafkaSettings {
        prefix: format!("{}late.", world.topics.prefix()),
        ..world.kafka()
    };
    let relay = world.start_relay_to(&kafka, OFTEN);
    world.write(1, &relay.bell).await;
    wait_until("publishing has failed", PATIENCE, async || {
        match relay.count("outbox_publish_failures_total") {
            0 => Err("no failure"),
            _ => Ok(()),
        }
    })
    .await;
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &kafka.brokers)
        .create()
        .unwrap();
    let name = format!("{}{TASK_EVENTS}", kafka.prefix);
    let topic = NewTopic::new(&name, 1, TopicReplication::Fixed(1));
    admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap()[0]
        .as_ref()
        .unwrap();
    world.wait_until_drained().await;
    relay.stop().await;
    admin.delete_topics(&[&name], &AdminOptions::new()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_published_holds_back_its_own_key_only() {
    let world = World::new().await;
    let relay = world.start_relay(OFTEN);
    let tasks = tasks_in_slot_of(1);
    // The event of the first task got into the table with a topic that nobody knows.
    let mut transaction = world.pool.begin().await.unwrap();
    for task in &tasks[..4] {
        change(&mut transaction, *task).await;
    }
    sqlx::query("update chat.outbox set aggregatetype = 'nowhere' where aggregateid = $1")
        .bind(tasks[0].to_string())
        .execute(&mut *transaction)
        .await
        .unwrap();
    outbox::commit(transaction, &relay.bell).await.unwrap();
    world.published(3).await;
    for task in &tasks[1..4] {
        world.write(*task, &relay.bell).await;
    }
    let log = world.published(6).await;
    log.assert_whole_and_in_order();
    assert!(!log.versions.contains_key(&tasks[0]));
    assert_eq!(world.unpublished().await, 1);

    // An operator mends it.
    sqlx::query("update chat.outbox set aggregatetype = $1")
        .bind(TASK_EVENTS)
        .execute(&world.pool)
        .await
        .unwrap();
    world.wait_until_drained().await;
    assert_eq!(world.published(7).await.versions[&tasks[0]], [1]);
    relay.stop().await;
}
