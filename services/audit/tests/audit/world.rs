//! Everything around the service: engines, tokens, events in, dead letters out.

use std::{path::Path, time::Duration};

use audit::MIGRATIONS;
use catalogue::{Catalogue, app_ids, environment_variables as variables, services::AUDIT, topics};
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use metrics::Metrics;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    message::Headers as _,
};
use service_kit::{
    config::{DatabaseSettings, Reader},
    database,
};
use sqlx::{PgPool, Row as _};
use test_kit::{Database, Issuer, Service, Topics, wait_until};
pub(crate) use test_kit::{
    Replica,
    http::{Answer, client, get},
};

/// Far more than anything takes on a quiet machine; a group that lost a member waits for the end of its session.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What one test has for itself.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) pool: PgPool,
    pub(crate) topics: Topics,
    pub(crate) issuer: Issuer,
    publisher: Publisher,
}

impl World {
    /// With a database that is migrated.
    pub(crate) async fn new() -> Self {
        Self::around(Database::migrated(&[&MIGRATIONS]).await).await
    }

    /// With this database.
    pub(crate) async fn around(database: Database) -> Self {
        // A second choice changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let topics = Topics::create(&[
            (topics::TASK_EVENTS, 3),
            (topics::TASK_EVENTS_DLQ, 3),
            (topics::REMINDERS, 1),
            (topics::REMINDERS_DLQ, 1),
        ])
        .await;
        let kafka = KafkaSettings {
            brokers: topics.brokers().to_owned(),
            security: Security::Plaintext,
            prefix: topics.prefix().to_owned(),
        };
        Self {
            pool: database.pool().await,
            database,
            publisher: Publisher::new(&kafka, &metrics_of(app_ids::CHAT_API)).unwrap(),
            topics,
            issuer: Issuer::start().await,
        }
    }

    /// The variables that the service is given.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            (variables::TASKFLOW_LISTEN_ADDRESS.name, "127.0.0.1".to_owned()),
            (variables::TASKFLOW_HTTP_PORT.name, "0".to_owned()),
            (variables::TASKFLOW_INTERNAL_PORT.name, "0".to_owned()),
            (variables::TASKFLOW_METRICS_PORT.name, "0".to_owned()),
            (variables::TASKFLOW_DATABASE_URL.name, self.database.url()),
            (variables::TASKFLOW_BUS.name, "kafka".to_owned()),
            (variables::TASKFLOW_KAFKA_BROKERS.name, self.topics.brokers().to_owned()),
            (variables::TASKFLOW_KAFKA_PREFIX.name, self.topics.prefix().to_owned()),
            (variables::TASKFLOW_OIDC_ISSUER.name, self.issuer.url()),
            (variables::TASKFLOW_OIDC_JWKS_URL.name, self.issuer.jwks_url()),
            (variables::TASKFLOW_USER_REQUESTS_PER_SECOND.name, "10000".to_owned()),
        ]
    }

    /// Starts the service, and waits until it takes traffic.
    pub(crate) async fn start(&self) -> Replica {
        let replica = self.start_with(&[]).await;
        replica.becomes_ready().await;
        replica
    }

    /// Starts it with these variables besides those that it needs, or in their place.
    pub(crate) async fn start_with(&self, more: &[(&'static str, &str)]) -> Replica {
        Replica::of(self.run("serve", more), &AUDIT).await
    }

    /// Runs one command of the service.
    pub(crate) fn run(&self, command: &str, more: &[(&'static str, &str)]) -> Service {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let program = Path::new(env!("CARGO_BIN_EXE_audit"));
        Service::start(program, &[command], self.variables().into_iter().chain(more))
    }

    /// Exit code and lines of `verify`.
    pub(crate) async fn verify(&self) -> (i32, Vec<String>) {
        let mut verification = self.run("verify", &[]);
        let code = verification.exit(PATIENCE).await.code().unwrap();
        (code, verification.lines())
    }

    /// The record is whole, and holds so many rows.
    pub(crate) async fn assert_whole(&self, rows: i64) {
        let (code, lines) = self.verify().await;
        assert_eq!(code, 0, "{lines:#?}");
        assert!(lines[0].starts_with(&format!("{rows} rows in ")), "{lines:#?}");
    }

    /// Puts events into their topics, in this order.
    pub(crate) async fn publish(&self, events: &[Outgoing]) {
        for result in self.publisher.publish(events).await {
            result.unwrap();
        }
    }

    /// Waits until the record holds so many rows.
    pub(crate) async fn rows(&self, count: i64) {
        wait_until(&format!("{count} rows"), PATIENCE, async || match self.count().await {
            now if now == count => Ok(()),
            now => Err(format!("{now} rows")),
        })
        .await;
    }

    /// How many rows the record holds.
    pub(crate) async fn count(&self) -> i64 {
        let count = sqlx::query_scalar("select count(*) from audit.event");
        count.fetch_one(&self.pool).await.unwrap()
    }

    /// The ids of a task's events, in the order of its chain; the positions have no gap.
    pub(crate) async fn chain(&self, task: i64) -> Vec<uuid::Uuid> {
        let rows = sqlx::query("select position, event_id from audit.event where task_id = $1 order by position");
        let rows = rows.bind(task).fetch_all(&self.pool).await.unwrap();
        let positions: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        let counted: Vec<i64> = (1..).take(positions.len()).collect();
        assert_eq!(positions, counted, "task {task}");
        rows.iter().map(|row| row.get(1)).collect()
    }

    /// The dead letters so far: reason and detail.
    pub(crate) async fn dead_letters(&self, origin: &str) -> Vec<String> {
        let twin = AUDIT.consumes.iter().find(|it| it.topic == origin).unwrap();
        let topic = self.topics.name(twin.dead_letter.unwrap());
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.topics.brokers())
            .set("group.id", format!("{}reader", self.topics.prefix()))
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let metadata = consumer.fetch_metadata(Some(&topic), PATIENCE).unwrap();
        let (mut partitions, mut count) = (TopicPartitionList::new(), 0);
        for partition in metadata.topics()[0].partitions() {
            let id = partition.id();
            count += consumer.fetch_watermarks(&topic, id, PATIENCE).unwrap().1;
            partitions.add_partition_offset(&topic, id, Offset::Beginning).unwrap();
        }
        consumer.assign(&partitions).unwrap();
        let mut letters = Vec::new();
        for _ in 0..count {
            let record = tokio::time::timeout(PATIENCE, consumer.recv()).await.unwrap().unwrap();
            let headers = record.headers().unwrap();
            let text = |it: rdkafka::message::Header<'_, &[u8]>| {
                let value = String::from_utf8_lossy(it.value.unwrap_or_default());
                format!("{}={value}", it.key)
            };
            letters.push(headers.iter().map(text).collect::<Vec<_>>().join("\n"));
        }
        letters
    }

    pub(crate) async fn assert_no_dead_letters(&self) {
        for origin in AUDIT.reads_topics() {
            assert_eq!(self.dead_letters(origin).await, Vec::<String>::new(), "{origin}");
        }
    }

    /// The database as the service sees it, for calls inside this process.
    pub(crate) fn service_database(&self) -> service_kit::database::Database {
        let mut reader = Reader::new(&AUDIT, self.variables());
        let settings = DatabaseSettings::read(&mut reader);
        database::connect(&reader.finish(settings).unwrap(), &metrics_of(app_ids::AUDIT))
    }

    /// What the person gets at this path.
    pub(crate) async fn get(&self, replica: &Replica, user: &str, path: &str) -> Answer {
        let request = client().get(format!("http://{}{path}", replica.public));
        let request = request.bearer_auth(self.issuer.token_for(user));
        Answer::to(request).await
    }
}

/// Metrics of a service, in this process.
pub(crate) fn metrics_of(app_id: &str) -> Metrics {
    Metrics::new(&Catalogue::taskflow(), app_id)
}
