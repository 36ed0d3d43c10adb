//! Everything around the service: Kafka, tokens, events in.

use std::{net::SocketAddr, path::Path, time::Duration};

use catalogue::{Catalogue, app_ids, environment_variables as variables, topics};
use event_bus::{
    Outgoing,
    kafka::{KafkaSettings, Publisher, Security},
};
use metrics::Metrics;
use reqwest::{Client, StatusCode, header::HeaderMap};
use test_kit::{Issuer, Service, Topics, wait_until};

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
        let mut process = self.run("serve", more);
        Replica {
            public: process.address("public").await,
            metrics: process.address("metrics").await,
            process,
        }
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

/// One process of the service.
pub(crate) struct Replica {
    pub(crate) process: Service,
    pub(crate) public: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

impl Replica {
    pub(crate) async fn becomes_ready(&self) {
        wait_until("the service is ready", PATIENCE, async || {
            match get(self.public, "/ready").await {
                answer if answer.status == 200 => Ok(()),
                answer => Err(answer.text),
            }
        })
        .await;
    }

    /// The value of a series.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let text = get(self.metrics, catalogue::paths::METRICS).await.text;
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no series `{series}`")).parse().unwrap()
    }

    /// Waits until the series has this value.
    pub(crate) async fn becomes(&self, series: &str, value: f64) {
        wait_until(&format!("{series} becomes {value}"), PATIENCE, async || {
            match self.metric(series).await {
                now if now == value => Ok(()),
                now => Err(now),
            }
        })
        .await;
    }

    /// Asks it to stop; it must do so well and in time.
    pub(crate) async fn stop(mut self) {
        self.process.terminate();
        let status = self.process.exit(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{:#?}", self.process.lines());
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn to(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Status and code of the problem, which must be one.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.text).unwrap();
        (self.status.as_u16(), problem["code"].as_str().unwrap().to_owned())
    }
}

pub(crate) fn http() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    Answer::to(http().get(format!("http://{address}{path}"))).await
}
