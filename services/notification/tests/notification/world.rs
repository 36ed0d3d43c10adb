//! Everything around the service: engines, tokens, events in, dead letters out.

use std::{path::Path, time::Duration};

use catalogue::{Catalogue, app_ids, environment_variables as variables, services::NOTIFICATION, topics};
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use metrics::Metrics;
use notification::MIGRATIONS;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    message::Headers as _,
};
use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;
use test_kit::{Database, EnginePair, Issuer, Service, Topics, wait_until};
pub(crate) use test_kit::{
    Replica,
    http::{Answer, client, get},
};

/// Far more than anything takes on a quiet machine; a group that lost a member waits for the end of its session.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The topics of a test, with their partitions.
const TOPICS: &[(&str, i32)] = &[
    (topics::TASK_EVENTS, 3),
    (topics::TASK_EVENTS_DLQ, 3),
    (topics::REMINDERS, 3),
    (topics::REMINDERS_DLQ, 1),
];

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
        Self::around_both(database, Topics::create(TOPICS).await).await
    }

    /// On engines of its own, which may be killed and must outlive it.
    pub(crate) async fn on(engines: &EnginePair) -> Self {
        let database = Database::migrated_on(&engines.postgres.address(), &[&MIGRATIONS]).await;
        let topics = Topics::create_on(&engines.kafka.address(), TOPICS).await;
        Self::around_both(database, topics).await
    }

    async fn around_both(database: Database, topics: Topics) -> Self {
        // A second choice changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
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
            (variables::TASKFLOW_SWEEP_SECONDS.name, "1".to_owned()),
            (variables::TASKFLOW_WEBHOOK_ALLOW_PRIVATE.name, "true".to_owned()),
            (
                variables::TASKFLOW_PUBLIC_URL.name,
                "https://tasks.example.org".to_owned(),
            ),
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
        Replica::of(self.run("serve", more), &NOTIFICATION).await
    }

    /// Runs one command of the service.
    pub(crate) fn run(&self, command: &str, more: &[(&'static str, &str)]) -> Service {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let program = Path::new(env!("CARGO_BIN_EXE_notification"));
        Service::start(program, &[command], self.variables().into_iter().chain(more))
    }

    /// Puts events into their topics, in this order.
    pub(crate) async fn publish(&self, events: &[Outgoing]) {
        for result in self.publisher.publish(events).await {
            result.unwrap();
        }
    }

    /// The reminders of a task as `(generation, state, cause)`, in order.
    pub(crate) async fn reminders(&self, task: i64) -> Vec<(i32, String, Option<String>)> {
        let rows =
            "select generation, state, cause from notification.reminder where task_id = $1 order by spec, generation";
        sqlx::query_as(rows).bind(task).fetch_all(&self.pool).await.unwrap()
    }

    /// Waits until the reminders of a task are in these states, generation by generation.
    pub(crate) async fn states(&self, task: i64, expected: &[&str]) {
        wait_until(&format!("task {task} has {expected:?}"), PATIENCE, async || {
            let states = self.reminders(task).await;
            let now: Vec<&str> = states.iter().map(|(_, state, _)| state.as_str()).collect();
            if now == expected {
                Ok(())
            } else {
                Err(format!("{states:?}"))
            }
        })
        .await;
    }

    /// How many rows this counts.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.pool).await.unwrap()
    }

    /// Waits until the query counts so many.
    pub(crate) async fn counts(&self, query: &'static str, expected: i64) {
        wait_until(&format!("{query}: {expected}"), PATIENCE, async || {
            match self.count(query).await {
                now if now == expected => Ok(()),
                now => Err(now),
            }
        })
        .await;
    }

    /// Every reminder has come to one end, and nothing is left to be sent or published.
    pub(crate) async fn assert_settled(&self) {
        for left in [
            "select count(*) from notification.reminder where state in ('planned', 'due', 'attempted')",
            "select count(*) from notification.delivery where state in ('pending', 'attempting')",
            "select count(*) from notification.outbox",
        ] {
            self.counts(left, 0).await;
        }
        self.assert_no_dead_letters().await;
    }

    /// The dead letters so far: reason and detail.
    pub(crate) async fn dead_letters(&self, origin: &str) -> Vec<String> {
        let twin = NOTIFICATION.consumes.iter().find(|it| it.topic == origin).unwrap();
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
        for origin in NOTIFICATION.reads_topics() {
            assert_eq!(self.dead_letters(origin).await, Vec::<String>::new(), "{origin}");
        }
    }

    /// What the person gets at this path.
    pub(crate) async fn get(&self, replica: &Replica, user: &str, path: &str) -> Answer {
        let request = client().get(format!("http://{}{path}", replica.public));
        let request = request.bearer_auth(self.issuer.token_for(user));
        Answer::to(request).await
    }

    /// What the person gets for sending this there.
    pub(crate) async fn send(&self, replica: &Replica, user: &str, method: Method, path: &str, body: &Value) -> Answer {
        let request = client().request(method, format!("http://{}{path}", replica.public));
        let request = request.bearer_auth(self.issuer.token_for(user));
        Answer::to(request.json(body)).await
    }

    /// Adds a channel of the person that leads there, and gives it as it was answered.
    pub(crate) async fn channel(&self, replica: &Replica, user: &str, target: Value) -> Value {
        let body = serde_json::json!({ "target": target });
        // On a busy machine a request may be refused for now; nothing was done then.
        let answer = wait_until("the channel is added", PATIENCE, async || {
            match self.send(replica, user, Method::POST, "/channels", &body).await {
                answer if answer.status == 503 => Err(answer.text),
                answer => Ok(answer),
            }
        })
        .await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    }
}

/// Metrics of a service, in this process.
pub(crate) fn metrics_of(app_id: &str) -> Metrics {
    Metrics::new(&Catalogue::taskflow(), app_id)
}
