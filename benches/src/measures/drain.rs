//! How fast one relay drains a backlog, beside what rdkafka alone reaches with the same records.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use catalogue::{Catalogue, database::CHAT, metrics::OUTBOX_PUBLISHED_TOTAL, topics::TASK_EVENTS};
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use metrics::Metrics;
use outbox::{Bell, append_many, ddl, relay};
use rdkafka::{
    ClientConfig, ClientContext,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer},
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};
use test_kit::{Database, Topics, wait_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    progress,
    report::{Bar, Goal, Plot, Section, number},
    stats::Spread,
    world::World,
};

const ROWS: usize = 1_000_000;
const BYTES: usize = 1024;
/// How many events of one task a backlog holds on average.
const EVENTS_PER_KEY: usize = 10;
const APPEND_ROWS: usize = 5_000;
const PARTITIONS: i32 = 3;
const GOAL_PER_SECOND: f64 = 15_000.0;
const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let rows = world.pick(ROWS, 50_000);
    let events: Vec<Outgoing> = (0..rows).map(|row| event(row, rows)).collect();
    let brokers = world.engines.kafka.address();
    let topics = Topics::create_on(&brokers, &[(TASK_EVENTS, PARTITIONS), ("bare", PARTITIONS)]).await;
    progress("drain: bare rdkafka");
    let (bare, events) = {
        let (brokers, topic) = (brokers.clone(), topics.name("bare"));
        let run = move || bare_rdkafka(&brokers, &topic, &events).map(|time| (time, events));
        tokio::task::spawn_blocking(run).await??
    };
    progress(&format!("drain: writing {rows} rows"));
    let database = world.empty_database().await;
    fill(&database.pool().await, &events).await?;
    drop(events);
    progress("drain: the relay");
    let relay = drain(&database, &topics, rows).await?;
    Ok(section(rows, per_second(rows, relay), per_second(rows, bare)))
}

#[expect(clippy::cast_precision_loss, reason = "a rate to read")]
fn per_second(rows: usize, time: Duration) -> f64 {
    rows as f64 / time.as_secs_f64()
}

/// An event of about the wanted size that compresses as JSON with a text in it does.
fn event(row: usize, rows: usize) -> Outgoing {
    const WORDS: [&str; 8] = [
        "water", "plants", "invoice", "Tuesday", "call", "garden", "before", "ticket",
    ];
    let event_id = Uuid::now_v7();
    let mut value = format!("{{\"id\":\"{event_id}\",\"source\":\"/services/chat-api\",\"data\":\"");
    let mut word = row;
    while value.len() + 24 < BYTES {
        word = word
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        value.push_str(WORDS[(word >> 33) % WORDS.len()]);
        value.extend([" ", &(word % 4096).to_string(), " "]);
    }
    value.push_str("\"}");
    Outgoing {
        topic: TASK_EVENTS,
        key: (1 + row % rows.div_ceil(EVENTS_PER_KEY)).to_string(),
        event_id,
        event_type: "dev.taskflow.task.updated.v1".to_owned(),
        value: value.into(),
        traceparent: None,
    }
}

async fn fill(pool: &PgPool, events: &[Outgoing]) -> Result<()> {
    let table = format!("create schema {}; {}", CHAT.name, ddl(&CHAT));
    pool.execute(AssertSqlSafe(table)).await?;
    for some in events.chunks(APPEND_ROWS) {
        let mut transaction = pool.begin().await?;
        append_many(&mut transaction, &CHAT, some).await?;
        transaction.commit().await?;
    }
    pool.execute("checkpoint").await?;
    Ok(())
}

/// From the start of the relay until the table is empty.
async fn drain(database: &Database, topics: &Topics, rows: usize) -> Result<Duration> {
    let kafka = KafkaSettings {
        brokers: topics.brokers().to_owned(),
        security: Security::Plaintext,
        prefix: topics.prefix().to_owned(),
    };
    let metrics = Metrics::new(&Catalogue::taskflow(), CHAT.owner);
    let publisher = Publisher::new(&kafka, &metrics)?;
    let count = metrics.counter(&OUTBOX_PUBLISHED_TOTAL, &[TASK_EVENTS]);
    let (pool, stop) = (database.pool().await, CancellationToken::new());
    let settings = relay::Settings::new(CHAT, database.url().parse()?);

    let began = Instant::now();
    let relay = tokio::spawn(relay::run(settings, publisher, Bell::new(), metrics, stop.clone()));
    wait_until("every row is published", PATIENCE, async || {
        match usize::try_from(count.get()) {
            Ok(done) if done >= rows => Ok(()),
            _ => Err(count.get()),
        }
    })
    .await;
    wait_until("every row is deleted", PATIENCE, async || {
        let left = sqlx::query("select from chat.outbox limit 1")
            .fetch_optional(&pool)
            .await;
        match left {
            Ok(None) => Ok(()),
            left => Err(format!("{left:?}")),
        }
    })
    .await;
    let time = began.elapsed();
    stop.cancel();
    relay.await?;
    ensure!(usize::try_from(count.get()) == Ok(rows), "each row is published once");
    Ok(time)
}

/// Counts acknowledgements.
struct Counting(Arc<AtomicUsize>);

impl ClientContext for Counting {}

impl ProducerContext for Counting {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _opaque: ()) {
        if result.is_ok() {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The same records with the same promises, as fast as the client takes them.
fn bare_rdkafka(brokers: &str, topic: &str, events: &[Outgoing]) -> Result<Duration> {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let producer: ThreadedProducer<Counting> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("partitioner", "murmur2_random")
        .set("compression.type", "lz4")
        .set("linger.ms", "5")
        .create_with_context(Counting(acknowledged.clone()))?;
    let began = Instant::now();
    for event in events {
        let mut record = BaseRecord::to(topic).key(&event.key).payload(event.value.as_ref());
        while let Err((error, refused)) = producer.send(record) {
            ensure!(
                error == KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull),
                "the producer does not take records: {error}"
            );
            producer.flush(Duration::from_millis(20)).ok();
            record = refused;
        }
    }
    producer.flush(PATIENCE)?;
    let time = began.elapsed();
    ensure!(
        acknowledged.load(Ordering::Relaxed) == events.len(),
        "every record is acknowledged"
    );
    Ok(time)
}

fn section(rows: usize, relay: f64, bare: f64) -> Section {
    Section {
        title: "A backlog".to_owned(),
        method: format!(
            "One relay drains {rows} rows of {BYTES} bytes, {EVENTS_PER_KEY} events of each task, into a topic of {PARTITIONS} \
             partitions: from its start until the table is empty. Beside it the same records by rdkafka alone, with the same \
             acknowledgements (all, idempotent), from memory and without a table."
        ),
        columns: ["rows", "relay, rows/s", "bare rdkafka, rows/s", "share"]
            .map(str::to_owned)
            .into(),
        rows: vec![vec![
            rows.to_string(),
            number(relay),
            number(bare),
            format!("{} %", number(relay / bare * 100.0)),
        ]],
        goals: vec![Goal::at_least("rows drained per second", GOAL_PER_SECOND, relay, "")],
        plots: vec![Plot {
            name: "drain".to_owned(),
            title: format!("{rows} rows of {BYTES} bytes"),
            unit: "rows per second".to_owned(),
            bars: vec![
                Bar::new("relay", Spread::of([relay])),
                Bar::new("bare rdkafka", Spread::of([bare])),
            ],
            goal: Some(GOAL_PER_SECOND),
            logarithmic: false,
        }],
        data: json!({"rows": rows, "relay_per_second": relay, "bare_rdkafka_per_second": bare}),
        ..Section::default()
    }
}
