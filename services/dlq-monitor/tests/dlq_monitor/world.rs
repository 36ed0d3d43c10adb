//! Everything around the service: engines, tokens, events in, operators.

use std::{path::Path, time::Duration};

use catalogue::{Catalogue, app_ids, environment_variables as variables, services::DLQ_MONITOR, topics};
use dlq_monitor::MIGRATIONS;
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use metrics::Metrics;
use rdkafka::{
    ClientConfig,
    message::{Header, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool};
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
            (topics::REMINDERS, 3),
            (topics::REMINDERS_DLQ, 3),
        ])
        .await;
        let kafka = settings(&topics);
        Self {
            pool: database.pool().await,
            database,
            publisher: Publisher::new(&kafka, &metrics_of(app_ids::CHAT_API)).unwrap(),
            topics,
            issuer: Issuer::start().await,
        }
    }

    pub(crate) fn kafka(&self) -> KafkaSettings {
        settings(&self.topics)
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
        Replica::of(self.run(&["serve"], more), &DLQ_MONITOR).await
    }

    /// Runs one command of the service.
    pub(crate) fn run(&self, arguments: &[&str], more: &[(&'static str, &str)]) -> Service {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let program = Path::new(env!("CARGO_BIN_EXE_dlq-monitor"));
        Service::start(program, arguments, self.variables().into_iter().chain(more))
    }

    /// What an operator types behind `dlq-monitor dlq`: exit code and what is printed.
    pub(crate) async fn types(&self, arguments: &[&str]) -> (i32, String) {
        let arguments: Vec<&str> = ["dlq", "--as", "grace"].iter().chain(arguments).copied().collect();
        let mut command = self.run(&arguments, &[]);
        let status = command.exit(PATIENCE).await;
        (status.code().unwrap(), command.lines().join("\n"))
    }

    /// Puts events into their topics, in this order.
    pub(crate) async fn publish(&self, events: &[Outgoing]) {
        for result in self.publisher.publish(events).await {
            result.unwrap();
        }
    }

    /// Puts a record into a topic, whatever it is.
    pub(crate) async fn put(&self, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[(&str, &[u8])]) {
        let producer: FutureProducer = ClientConfig::new()
            .set("bootstrap.servers", self.topics.brokers())
            .set("message.max.bytes", topics::MAX_DEAD_LETTER_BYTES.to_string())
            .create()
            .unwrap();
        let topic = self.topics.name(topic);
        let headers = headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
            all.insert(Header {
                key,
                value: Some(*value),
            })
        });
        let mut record = FutureRecord::<[u8], [u8]>::to(&topic).headers(headers);
        record.key = key;
        record.payload = value;
        producer.send(record, PATIENCE).await.unwrap();
    }

    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }

    /// Waits until so many letters are in this state.
    pub(crate) async fn letters(&self, state: &str, count: i64) {
        wait_until(&format!("{count} letters are {state}"), PATIENCE, async || {
            let query = "select count(*) from dlq.dead_letter where state = $1";
            let now: i64 = sqlx::query_scalar(query)
                .bind(state)
                .fetch_one(&self.pool)
                .await
                .unwrap();
            if now == count { Ok(()) } else { Err(now) }
        })
        .await;
    }

    /// Waits until dlq-monitor has seen this version of a task.
    pub(crate) async fn has_seen(&self, task: i64, version: i64) {
        wait_until("the version is seen", PATIENCE, async || {
            let query = "select version from dlq.task where task_id = $1";
            let now: Option<i64> = sqlx::query_scalar(query)
                .bind(task)
                .fetch_optional(&self.pool)
                .await
                .unwrap();
            now.filter(|now| *now == version)
                .map(|_| ())
                .ok_or_else(|| format!("{now:?}"))
        })
        .await;
    }

    /// A token with these scopes.
    pub(crate) fn token(&self, scopes: &str) -> String {
        let mut claims = self.issuer.claims_for("grace");
        claims["scope"] = json!(scopes);
        self.issuer.sign(&claims)
    }

    /// What an operator with every scope gets for this.
    pub(crate) async fn asks(&self, replica: &Replica, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let token = self.token("dead-letters:read dead-letters:resolve");
        let request = client()
            .request(method, format!("http://{}{path}", replica.public))
            .bearer_auth(token);
        Answer::to(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    pub(crate) async fn get(&self, replica: &Replica, path: &str) -> Value {
        let answer = self.asks(replica, Method::GET, path, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    /// Replays by the API, and gives the action once it has ended.
    pub(crate) async fn replays(&self, replica: &Replica, body: &Value) -> Value {
        let answer = self
            .asks(replica, Method::POST, "/dead-letters/replay", Some(body))
            .await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let place = answer.headers["location"].to_str().unwrap().to_owned();
        wait_until("the replay ends", PATIENCE, async || {
            let action = self.get(replica, &place).await;
            if action["state"] == "running" {
                Err(action)
            } else {
                Ok(action)
            }
        })
        .await
    }

    /// Nothing waits, and nothing is left in the outbox.
    pub(crate) async fn is_settled(&self) {
        self.letters("waiting", 0).await;
        wait_until("the outbox is empty", PATIENCE, async || {
            match self.count("select count(*) from dlq.outbox").await {
                0 => Ok(()),
                left => Err(left),
            }
        })
        .await;
    }
}

fn settings(topics: &Topics) -> KafkaSettings {
    KafkaSettings {
        brokers: topics.brokers().to_owned(),
        security: Security::Plaintext,
        prefix: topics.prefix().to_owned(),
    }
}

/// Metrics of a service, in this process.
pub(crate) fn metrics_of(app_id: &str) -> Metrics {
    Metrics::new(&Catalogue::taskflow(), app_id)
}
