//! Everything around the service: Kafka, tokens, events in.

use std::{path::Path, time::Duration};

use catalogue::{Catalogue, app_ids, environment_variables as variables, services::WEBSOCKET, topics};
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use metrics::Metrics;
use test_kit::{Issuer, Service, Topics};
pub(crate) use test_kit::{
    Replica,
    http::{Answer, client, get},
};

use crate::{
    client::Connection,
    events::{Change, reminder},
};

/// Far more than anything takes on a quiet machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What one test has for itself.
pub(crate) struct World {
    pub(crate) topics: Topics,
    pub(crate) issuer: Issuer,
    publisher: Publisher,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(&test_kit::kafka_brokers()).await
    }

    /// On these brokers.
    pub(crate) async fn on(brokers: &str) -> Self {
        // A second choice changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let topics = Topics::create_on(brokers, &[(topics::TASK_EVENTS, 3), (topics::REMINDERS, 1)]).await;
        let kafka = KafkaSettings {
            brokers: topics.brokers().to_owned(),
            security: Security::Plaintext,
            prefix: topics.prefix().to_owned(),
        };
        Self {
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
            (variables::TASKFLOW_METRICS_PORT.name, "0".to_owned()),
            (variables::TASKFLOW_POD_NAME.name, "websocket-0".to_owned()),
            (variables::TASKFLOW_KAFKA_BROKERS.name, self.topics.brokers().to_owned()),
            (variables::TASKFLOW_KAFKA_PREFIX.name, self.topics.prefix().to_owned()),
            (variables::TASKFLOW_OIDC_ISSUER.name, self.issuer.url()),
            (variables::TASKFLOW_OIDC_JWKS_URL.name, self.issuer.jwks_url()),
            (variables::TASKFLOW_USER_REQUESTS_PER_SECOND.name, "10000".to_owned()),
        ]
    }

    /// Starts the service, and waits until it takes traffic.
    pub(crate) async fn start(&self) -> Replica {
        self.start_with(&[]).await
    }

    /// Starts it with these variables besides those that it needs, or in their place.
    pub(crate) async fn start_with(&self, more: &[(&'static str, &str)]) -> Replica {
        let replica = self.begin_with(more).await;
        replica.becomes_ready().await;
        replica
    }

    /// The same, without waiting.
    pub(crate) async fn begin_with(&self, more: &[(&'static str, &str)]) -> Replica {
        Replica::of(self.run("serve", more), &WEBSOCKET).await
    }

    /// Runs one command of the service.
    pub(crate) fn run(&self, command: &str, more: &[(&'static str, &str)]) -> Service {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let program = Path::new(env!("CARGO_BIN_EXE_websocket"));
        Service::start(program, &[command], self.variables().into_iter().chain(more))
    }

    /// Puts events into their topics, in this order.
    pub(crate) async fn publish(&self, events: &[Outgoing]) {
        for result in self.publisher.publish(events).await {
            result.unwrap();
        }
    }

    /// The person's changes with these numbers happen, in this order.
    pub(crate) async fn change(&self, user: &str, sequences: impl IntoIterator<Item = i64>) {
        let events: Vec<_> = sequences.into_iter().map(|it| Change::nth(user, it).event()).collect();
        // One after another: those of different partitions would overtake each other.
        for event in events {
            self.publish(&[event]).await;
        }
    }

    /// A reminder of the person falls due.
    pub(crate) async fn remind(&self, user: &str, task: i64) {
        self.publish(&[reminder(user, task)]).await;
    }

    /// A connection of the person, welcomed; `resume` as in `hello`.
    pub(crate) async fn connect(&self, replica: &Replica, user: &str, resume: Option<i64>) -> Connection {
        let mut connection = Connection::open(replica).await;
        connection.hello(&self.issuer.token_for(user), resume).await;
        connection
    }

    /// A connection that begins by itself, and its welcome.
    pub(crate) async fn welcomed(&self, replica: &Replica, user: &str) -> Connection {
        let mut connection = self.connect(replica, user, None).await;
        assert_eq!(connection.next().await["type"], "welcome");
        connection
    }
}

/// Metrics of a service, in this process.
pub(crate) fn metrics_of(app_id: &str) -> Metrics {
    Metrics::new(&Catalogue::taskflow(), app_id)
}
