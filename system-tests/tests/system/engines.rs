//! PostgreSQL and Kafka die under load, and are away for longer than anybody retries. No service is started again here.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use reqwest::Method;
use serde_json::json;
use system_tests::{Person, Workload, World, person::Ask, world::PATIENCE};
use test_kit::{Replica, wait_until};
use tokio::{
    sync::Mutex,
    time::{Instant, interval},
};

/// Two cores are enough for one world with engines of its own, not for several.
static ONE_AFTER_ANOTHER: Mutex<()> = Mutex::const_new(());

/// Acts that show that work goes on.
const SOME: usize = 100;
/// The outage of a database that must cost nothing but time.
const AWAY: Duration = Duration::from_mins(1);
/// The outage of the brokers, in which chat-api works on.
const WITHOUT_BROKERS: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn kill_kafka_and_then_postgres_under_load() {
    let _alone = ONE_AFTER_ANOTHER.lock().await;
    let world = World::on_own_engines().await;
    let workload = Workload::begin(&world, 2);
    workload.goes_on(SOME).await;
    for engine in [&world.engines().kafka, &world.engines().postgres] {
        engine.kill().await;
        engine.start().await;
        workload.goes_on(SOME).await;
    }
    let ledger = workload.finish().await;
    world.settle(&ledger).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_postgres_for_a_minute_under_load() {
    let _alone = ONE_AFTER_ANOTHER.lock().await;
    let world = World::on_own_engines().await;
    let ada = world.person("ada");
    let workload = Workload::begin(&world, 3);
    workload.goes_on(SOME).await;

    world.engines().postgres.kill().await;
    let end = Instant::now() + AWAY;
    for replica in replicas(&world) {
        answers(replica, "/ready", 503).await;
    }
    let mut every_second = interval(Duration::from_secs(1));
    let mut refused = 0;
    while Instant::now() < end {
        every_second.tick().await;
        refused += usize::from(is_refused(&ada).await);
        for replica in replicas(&world) {
            assert_eq!(status(replica, "/ready").await, 503);
            assert_eq!(status(replica, "/health").await, 200);
        }
    }
    assert!(refused > 10, "{refused} requests were answered");

    world.engines().postgres.start().await;
    let back = Instant::now();
    for replica in replicas(&world) {
        answers(replica, "/ready", 200).await;
    }
    eprintln!("ready {:?} after PostgreSQL", back.elapsed());
    workload.goes_on(SOME).await;
    let ledger = workload.finish().await;
    world.settle(&ledger).await;
    eprintln!("at rest {:?} after PostgreSQL", back.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_kafka_for_a_while_and_go_on_writing() {
    let _alone = ONE_AFTER_ANOTHER.lock().await;
    let world = World::on_own_engines().await;
    let workload = Workload::begin(&world, 4);
    workload.goes_on(SOME).await;
    let broken = world.trouble.broken.load(Relaxed);

    world.engines().kafka.kill().await;
    let end = Instant::now() + WITHOUT_BROKERS;
    while Instant::now() < end {
        workload.goes_on(SOME).await;
        assert_eq!(status(&world.core.chat_api, "/ready").await, 200);
    }
    assert_eq!(world.trouble.broken.load(Relaxed), broken, "every request was answered");
    let waiting: i64 = sqlx::query_scalar("select count(*) from chat.outbox")
        .fetch_one(&world.pool)
        .await
        .expect("the outbox can be read");
    assert!(waiting > 0, "what was accepted waits");

    world.engines().kafka.start().await;
    let back = Instant::now();
    workload.goes_on(SOME).await;
    let ledger = workload.finish().await;
    world.settle(&ledger).await;
    eprintln!("{waiting} events waited; at rest {:?} after Kafka", back.elapsed());
}

fn replicas(world: &World) -> [&Replica; 3] {
    [&world.core.chat_api, &world.core.recurring_tasks, &world.core.audit]
}

/// Whether a write is refused as it must be while the database is away. It may also be cut off without an answer.
async fn is_refused(person: &Person) -> bool {
    let write = Ask::new(Method::POST, "/tasks").body(json!({"title": "in vain"}));
    let Ok(answer) = person.once(&write).await else {
        return false;
    };
    answer.expect(503);
    assert_eq!(answer.body["code"], "unavailable", "{answer:?}");
    assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{answer:?}");
    true
}

async fn status(replica: &Replica, path: &str) -> u16 {
    let answer = reqwest::get(format!("http://{}{path}", replica.public)).await;
    answer.expect("the process answers").status().as_u16()
}

async fn answers(replica: &Replica, path: &str, wanted: u16) {
    wait_until(&format!("{path} answers {wanted}"), PATIENCE, async || {
        match status(replica, path).await {
            status if status == wanted => Ok(()),
            status => Err(status),
        }
    })
    .await;
}
