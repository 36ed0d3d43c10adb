//! A database with an outbox, a topic, writers, relays, and a reader that sees all that was published.

use std::{collections::BTreeMap, time::Duration};

use catalogue::{
    Catalogue, Schema, database::CHAT, metrics::OUTBOX_OLDEST_UNPUBLISHED_AGE_SECONDS, topics::TASK_EVENTS,
};
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use metrics::Metrics;
use outbox::{Bell, Slot, append, ddl, relay};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, PgPool, postgres::PgConnectOptions};
use test_kit::{Database, Topics, wait_until};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const SCHEMA: Schema = CHAT;
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A relay that nobody wakes is not awake within a test.
pub(crate) const NEVER: Duration = Duration::from_hours(1);
pub(crate) const OFTEN: Duration = Duration::from_millis(20);

const PARTITIONS: i32 = 3;

/// What one test owns. `chat.task` stands for the service's own table.
pub(crate) struct World {
    pub(crate) pool: PgPool,
    pub(crate) topics: Topics,
    database: Database,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = Database::empty().await;
        let pool = database.pool().await;
        let tables = format!(
            "create schema {0};
             create table {0}.task (id bigint primary key, version bigint not null default 0);
             insert into {0}.task (id) select generate_series(1, 1000);
             {1}",
            SCHEMA.name,
            ddl(&SCHEMA)
        );
        pool.execute(AssertSqlSafe(tables)).await.unwrap();
        Self {
            pool,
            topics: Topics::create(&[(TASK_EVENTS, PARTITIONS)]).await,
            database,
        }
    }

    pub(crate) fn kafka(&self) -> KafkaSettings {
        KafkaSettings {
            brokers: self.topics.brokers().to_owned(),
            security: Security::Plaintext,
            prefix: self.topics.prefix().to_owned(),
        }
    }

    /// A relay as a replica of the service has it.
    pub(crate) fn start_relay(&self, poll_interval: Duration) -> Replica {
        self.start_relay_to(&self.kafka(), poll_interval)
    }

    pub(crate) fn start_relay_to(&self, kafka: &KafkaSettings, poll_interval: Duration) -> Replica {
        let options: PgConnectOptions = self.database.url().parse().unwrap();
        let settings = relay::Settings {
            poll_interval,
            ..relay::Settings::new(SCHEMA, options)
        };
        let metrics = Metrics::new(&Catalogue::taskflow(), SCHEMA.owner);
        let (bell, stop) = (Bell::new(), CancellationToken::new());
        let publisher = Publisher::new(kafka, &metrics).unwrap();
        let task = tokio::spawn(relay::run(
            settings,
            publisher,
            bell.clone(),
            metrics.clone(),
            stop.clone(),
        ));
        Replica {
            bell,
            metrics,
            stop,
            task,
        }
    }

    /// One change of a task with its event, as a service makes it; returns the new version.
    pub(crate) async fn write(&self, task: i64, bell: &Bell) -> i64 {
        let mut transaction = self.pool.begin().await.unwrap();
        let version = change(&mut transaction, task).await;
        outbox::commit(transaction, bell).await.unwrap();
        version
    }

    /// Rows that are not published.
    pub(crate) async fn unpublished(&self) -> i64 {
        sqlx::query_scalar("select count(*) from chat.outbox")
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    pub(crate) async fn wait_until_drained(&self) {
        wait_until("the outbox is empty", PATIENCE, async || {
            match self.unpublished().await {
                0 => Ok(()),
                rows => Err(format!("{rows} rows")),
            }
        })
        .await;
    }

    /// How many slots each relay owns, ascending.
    pub(crate) async fn slots_of_relays(&self) -> Vec<i64> {
        sqlx::query_scalar(
            "select count(*) filter (where objid < 16) from pg_locks
             where locktype = 'advisory' and objsubid = 2
                 and database = (select oid from pg_database where datname = current_database())
             group by pid order by 1",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    pub(crate) async fn wait_until_slots_are(&self, expected: &[i64]) {
        wait_until("each relay has its share", PATIENCE, async || {
            let slots = self.slots_of_relays().await;
            if slots == expected {
                Ok(())
            } else {
                Err(format!("{slots:?}"))
            }
        })
        .await;
    }

    /// Server processes of our relays' connections, `relay` or `listener`.
    pub(crate) async fn server_processes(&self, which: &str) -> Vec<i32> {
        sqlx::query_scalar(
            "select pid from pg_stat_activity where datname = current_database() and application_name like $1",
        )
        .bind(format!("% outbox {which}"))
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// Ends a server process, if it has not ended yet.
    pub(crate) async fn kill(&self, process: i32) {
        sqlx::query("select pg_terminate_backend($1)")
            .bind(process)
            .execute(&self.pool)
            .await
            .unwrap();
    }

    /// Everything in the topic, once it holds this many different events.
    pub(crate) async fn published(&self, events: usize) -> Log {
        let mut log = Log::default();
        let consumer = self.consumer();
        let read = timeout(PATIENCE, async {
            while log.firsts.len() < events {
                let record = consumer.recv().await.unwrap();
                log.add(record.key().unwrap(), record.payload().unwrap());
            }
            // What was read up to here may be followed by copies.
            let end = self.records();
            while log.records < end {
                let record = consumer.recv().await.unwrap();
                log.add(record.key().unwrap(), record.payload().unwrap());
            }
        });
        let read = read.await;
        assert!(
            read.is_ok(),
            "{} of {events} events within {PATIENCE:?}",
            log.firsts.len()
        );
        log
    }

    /// Records in the topic.
    pub(crate) fn records(&self) -> usize {
        let consumer = self.consumer();
        let ends = (0..PARTITIONS).map(|partition| {
            let (_, end) = consumer
                .fetch_watermarks(&self.topics.name(TASK_EVENTS), partition, PATIENCE)
                .unwrap();
            usize::try_from(end).unwrap()
        });
        ends.sum()
    }

    fn consumer(&self) -> StreamConsumer {
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.topics.brokers())
            .set("group.id", self.topics.prefix())
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let mut all = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(&self.topics.name(TASK_EVENTS), partition, Offset::Beginning)
                .unwrap();
        }
        consumer.assign(&all).unwrap();
        consumer
    }
}

/// The relay of one replica.
pub(crate) struct Replica {
    pub(crate) bell: Bell,
    pub(crate) metrics: Metrics,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Replica {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.task).await.expect("a relay stops").unwrap();
    }

    /// What a crash does: nothing is finished.
    pub(crate) async fn abort(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// The value of a metric that counts, all its series summed.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.series(name).map(|value| value.parse::<u64>().unwrap()).sum()
    }

    /// The age of the oldest row, as exposed.
    pub(crate) fn oldest_age_seconds(&self) -> f64 {
        let mut series = self.series(OUTBOX_OLDEST_UNPUBLISHED_AGE_SECONDS.name);
        series.next().unwrap().parse().unwrap()
    }

    fn series(&self, name: &str) -> impl Iterator<Item = String> {
        let lines: Vec<String> = self.metrics.render().lines().map(str::to_owned).collect();
        let of_name = lines
            .into_iter()
            .filter(move |line| line.split(['{', ' ']).next() == Some(name));
        of_name.map(|line| line.rsplit(' ').next().unwrap().to_owned())
    }
}

/// What was published, in the order of the topic's partitions.
#[derive(Default)]
pub(crate) struct Log {
    /// Versions of each task in the order of their first appearance.
    pub(crate) versions: BTreeMap<i64, Vec<i64>>,
    /// Values by event id.
    pub(crate) firsts: BTreeMap<Uuid, Vec<u8>>,
    /// All, the copies included.
    pub(crate) records: usize,
}

impl Log {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.records += 1;
        let event: serde_json::Value = serde_json::from_slice(value).unwrap();
        let id: Uuid = event["id"].as_str().unwrap().parse().unwrap();
        if self.firsts.insert(id, value.to_vec()).is_none() {
            let task = std::str::from_utf8(key).unwrap().parse().unwrap();
            let version = event["version"].as_i64().unwrap();
            self.versions.entry(task).or_default().push(version);
        }
    }

    /// No version is missing, and none appeared before an older one of its task.
    pub(crate) fn assert_whole_and_in_order(&self) {
        for (task, versions) in &self.versions {
            let all: Vec<i64> = (1..=i64::try_from(versions.len()).unwrap()).collect();
            assert_eq!(versions, &all, "task {task}");
        }
    }
}

/// Locks and changes the task's row, then appends the event.
pub(crate) async fn change(connection: &mut PgConnection, task: i64) -> i64 {
    let version = sqlx::query_scalar("update chat.task set version = version + 1 where id = $1 returning version")
        .bind(task)
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    append(connection, &SCHEMA, &event(task, version)).await.unwrap();
    version
}

/// An event whose bytes no JSON writer would make.
pub(crate) fn event(task: i64, version: i64) -> Outgoing {
    let event_id = Uuid::now_v7();
    let value = format!("{{ \"version\":{version} ,\n\"id\": \"{event_id}\", \"zero\": 0.0, \"zero\": 1e0 }}");
    Outgoing {
        topic: TASK_EVENTS,
        key: task.to_string(),
        event_id,
        event_type: "dev.taskflow.task.updated.v1".to_owned(),
        value: value.into(),
        traceparent: (task % 2 == 0).then(|| "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
    }
}

/// Tasks whose events share a slot with this one's, itself first.
pub(crate) fn tasks_in_slot_of(task: i64) -> Vec<i64> {
    let slot = Slot::of_key(&task.to_string());
    let others = (1..=1000).filter(|other| Slot::of_key(&other.to_string()) == slot && *other != task);
    std::iter::once(task).chain(others).collect()
}
