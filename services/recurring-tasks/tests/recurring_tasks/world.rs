//! Everything around the service: engines, chat-api, events in, dead letters out.

use std::{net::SocketAddr, path::Path, time::Duration};

use catalogue::{Catalogue, app_ids, topics};
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use events::Event;
use metrics::Metrics;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{Consumer as _, StreamConsumer},
    message::Headers as _,
};
use recurring_tasks::MIGRATIONS;
use serde_json::Value;
use test_kit::{Database, Service, Topics, keys, keys::Ed25519Pem, wait_until};

use crate::chat_api::{ChatApi, Command};

/// Far more than anything takes on a quiet machine; a group that lost a member waits for the end of its session.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What one test has for itself.
pub(crate) struct World {
    pub(crate) chat_api: ChatApi,
    pub(crate) database: Database,
    pub(crate) topics: Topics,
    publisher: Publisher,
    keys: Ed25519Pem,
}

/// What stands in a dead letter.
#[derive(Debug)]
pub(crate) struct DeadLetter {
    pub(crate) value: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl DeadLetter {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(key, _)| key == name);
        &found.unwrap_or_else(|| panic!("no header {name}: {self:?}")).1
    }
}

impl World {
    /// With a database that is migrated.
    pub(crate) async fn new() -> Self {
        Self::around(Database::migrated(&[&MIGRATIONS]).await).await
    }

    /// With this database. The topics have one partition: what is published later is handled later.
    pub(crate) async fn around(database: Database) -> Self {
        Self::with_partitions(1, database).await
    }

    /// With this database and so many partitions of what is consumed.
    pub(crate) async fn with_partitions(partitions: i32, database: Database) -> Self {
        // A second choice changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let topics = Topics::create(&[(topics::TASK_EVENTS, partitions), (topics::TASK_EVENTS_DLQ, 1)]).await;
        let kafka = KafkaSettings {
            brokers: topics.brokers().to_owned(),
            security: Security::Plaintext,
            prefix: topics.prefix().to_owned(),
        };
        let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::CHAT_API);
        let keys = keys::ed25519();
        Self {
            chat_api: ChatApi::start(&keys.public),
            database,
            publisher: Publisher::new(&kafka, &metrics).unwrap(),
            topics,
            keys,
        }
    }

    /// The variables that the service is given.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TASKFLOW_LISTEN_ADDRESS", "127.0.0.1".to_owned()),
            ("TASKFLOW_HTTP_PORT", "0".to_owned()),
            ("TASKFLOW_INTERNAL_PORT", "0".to_owned()),
            ("TASKFLOW_METRICS_PORT", "0".to_owned()),
            ("TASKFLOW_DATABASE_URL", self.database.url()),
            ("TASKFLOW_BUS", "kafka".to_owned()),
            ("TASKFLOW_KAFKA_BROKERS", self.topics.brokers().to_owned()),
            ("TASKFLOW_KAFKA_PREFIX", self.topics.prefix().to_owned()),
            ("TASKFLOW_CHAT_API_INTERNAL_URL", self.chat_api.url()),
            ("TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY", self.keys.private.clone()),
        ]
    }

    /// Starts the service.
    pub(crate) async fn start(&self) -> Replica {
        self.start_with(&[]).await
    }

    /// Starts it with these variables besides those that it needs, or in their place.
    pub(crate) async fn start_with(&self, more: &[(&'static str, &str)]) -> Replica {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let mut process = run("serve", self.variables().into_iter().chain(more));
        Replica {
            public: process.address("public").await,
            internal: process.address("internal").await,
            metrics: process.address("metrics").await,
            process,
        }
    }

    /// Puts events into the topic, in this order.
    pub(crate) async fn publish<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        let outgoing = events.into_iter().map(|event| outgoing(event, event.to_json()));
        self.send(outgoing.collect()).await;
    }

    /// Puts an event into the topic that has another value at this place.
    pub(crate) async fn publish_changed(&self, event: &Event, pointer: &str, new: Value) {
        let mut value: Value = serde_json::from_slice(&event.to_json()).unwrap();
        *value.pointer_mut(pointer).unwrap() = new;
        self.send(vec![outgoing(event, value.to_string().into_bytes())]).await;
    }

    async fn send(&self, outgoing: Vec<Outgoing>) {
        for result in self.publisher.publish(&outgoing).await {
            result.unwrap();
        }
    }

    /// Waits for so many commands at chat-api.
    pub(crate) async fn commands(&self, count: usize) -> Vec<Command> {
        wait_until(&format!("{count} commands"), PATIENCE, async || {
            match self.chat_api.commands() {
                commands if commands.len() >= count => Ok(commands),
                commands => Err(format!("{} commands", commands.len())),
            }
        })
        .await
    }

    /// The dead letters so far.
    pub(crate) async fn dead_letters(&self) -> Vec<DeadLetter> {
        let topic = self.topics.name(topics::TASK_EVENTS_DLQ);
        let consumer: StreamConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.topics.brokers())
            .set("group.id", format!("{}reader", self.topics.prefix()))
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let (_, count) = consumer.fetch_watermarks(&topic, 0, PATIENCE).unwrap();
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(&topic, 0, Offset::Beginning).unwrap();
        consumer.assign(&partitions).unwrap();
        let mut letters = Vec::new();
        for _ in 0..count {
            let record = tokio::time::timeout(PATIENCE, consumer.recv()).await.unwrap().unwrap();
            let headers = record.headers().unwrap().iter();
            letters.push(DeadLetter {
                value: record.payload().unwrap_or_default().to_vec(),
                headers: headers
                    .map(|it| {
                        (
                            it.key.to_owned(),
                            String::from_utf8_lossy(it.value.unwrap()).into_owned(),
                        )
                    })
                    .collect(),
            });
        }
        letters
    }

    pub(crate) async fn assert_no_dead_letters(&self) {
        let letters = self.dead_letters().await;
        assert!(letters.is_empty(), "{letters:?}");
    }
}

/// One process of the service.
pub(crate) struct Replica {
    pub(crate) process: Service,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

impl Replica {
    /// The value of a series that only has whole ones.
    pub(crate) async fn metric(&self, series: &str) -> u64 {
        let (_, text) = get(self.metrics, "/metrics").await;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no series `{series}`")).parse().unwrap()
    }

    /// Waits until the series has at least this value.
    pub(crate) async fn reaches(&self, series: &str, value: u64) {
        wait_until(&format!("{series} reaches {value}"), PATIENCE, async || {
            match self.metric(series).await {
                now if now >= value => Ok(()),
                now => Err(now),
            }
        })
        .await;
    }

    /// How many completed tasks had this outcome.
    pub(crate) async fn occurrences(&self, outcome: &str) -> u64 {
        self.metric(&format!(r#"occurrences_total{{outcome="{outcome}"}}"#))
            .await
    }

    /// Asks it to stop; it must do so well and in time.
    pub(crate) async fn stop(self) {
        self.process.terminate();
        self.ends_well().await;
    }

    /// Waits until it has stopped, having been asked to.
    pub(crate) async fn ends_well(mut self) {
        let status = self.process.exit(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{:#?}", self.process.lines());
    }
}

fn outgoing(event: &Event, value: Vec<u8>) -> Outgoing {
    Outgoing {
        topic: topics::TASK_EVENTS,
        key: event.key(),
        event_id: event.context.id.get(),
        event_type: event.event_type().name.to_owned(),
        value: value.into(),
        traceparent: None,
    }
}

/// Runs one command of the service with these variables.
pub(crate) fn run(command: &str, variables: impl IntoIterator<Item = (&'static str, String)>) -> Service {
    Service::start(Path::new(env!("CARGO_BIN_EXE_recurring-tasks")), &[command], variables)
}

/// Status and body.
pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = client.get(format!("http://{address}{path}")).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}
