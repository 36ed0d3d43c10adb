//! A running chat-api, and people who call it.

use std::{net::SocketAddr, path::Path, time::Duration};

use catalogue::{app_ids, services::CREATE_OCCURRENCE, topics::TASK_EVENTS};
use jiff::Timestamp;
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;
use service_kit::auth::TokenSigner;
use test_kit::{Database, Issuer, Service, Topics, keys, wait_until};

/// How long anything may take that takes milliseconds on a quiet machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Partitions of the topic: several, so that an order across keys would show.
const PARTITIONS: i32 = 3;

/// A running chat-api with an issuer of tokens, a database and topics of its own.
pub(crate) struct App {
    pub(crate) service: Service,
    /// What every start gets.
    environment: Vec<(&'static str, String)>,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) client: Client,
    pub(crate) issuer: Issuer,
    pub(crate) signer: TokenSigner,
    pub(crate) topics: Topics,
    pub(crate) database: Database,
}

/// One person at the door.
pub(crate) struct Person<'a> {
    app: &'a App,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts it with these variables besides those that it needs.
    pub(crate) async fn start_with(variables: &[(&'static str, &str)]) -> Self {
        Self::start_on(Self::database().await, variables).await
    }

    /// A database with the schema of this release.
    pub(crate) async fn database() -> Database {
        Database::migrated(&[&chat_api::MIGRATIONS]).await
    }

    /// As [`App::start_with`], on a database that was made before.
    pub(crate) async fn start_on(database: Database, variables: &[(&'static str, &str)]) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let topics = Topics::create(&[(TASK_EVENTS, PARTITIONS)]).await;
        let issuer = Issuer::start().await;
        let keys = keys::ed25519();
        let environment = environment(&database, &topics, &issuer, &keys.public);
        let chosen = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let mut service = serve(environment.iter().cloned().chain(chosen));
        let app = Self {
            public: service.address("public").await,
            internal: service.address("internal").await,
            metrics: service.address("metrics").await,
            service,
            environment,
            client: Client::new(),
            issuer,
            signer: TokenSigner::from_ed25519_pem(&keys.private).expect("the key is one"),
            topics,
            database,
        };
        app.readiness(200).await;
        app
    }

    /// Starts another in the place of one that has ended, as usual.
    pub(crate) async fn restart(&mut self) {
        self.service = serve(self.environment.iter().cloned());
        self.public = self.service.address("public").await;
        self.internal = self.service.address("internal").await;
        self.metrics = self.service.address("metrics").await;
        self.readiness(200).await;
    }

    /// Waits until `/ready` answers with this status.
    pub(crate) async fn readiness(&self, status: u16) {
        wait_until(&format!("/ready answers {status}"), PATIENCE, async || {
            let answer = Answer::to(self.client.get(format!("http://{}/ready", self.public))).await;
            if answer.status.as_u16() == status {
                Ok(())
            } else {
                Err(answer.text)
            }
        })
        .await;
    }

    /// Somebody with a valid token.
    pub(crate) fn person(&self, name: &str) -> Person<'_> {
        Person {
            app: self,
            token: self.issuer.token_for(name),
        }
    }

    /// Asks for the next instance of a task, as the service does that computes it.
    pub(crate) async fn command_occurrence(&self, task: i64, body: &Value) -> Answer {
        let token = self
            .signer
            .service_token(app_ids::RECURRING_TASKS, CREATE_OCCURRENCE.access, Timestamp::now());
        let path = CREATE_OCCURRENCE.path.replace("{id}", &task.to_string());
        let request = self.client.post(format!("http://{}{path}", self.internal));
        Answer::to(request.bearer_auth(token).json(body)).await
    }

    /// Value of a series in `/metrics`.
    pub(crate) async fn value_of(&self, series: &str) -> f64 {
        let metrics = Answer::to(self.client.get(format!("http://{}/metrics", self.metrics))).await;
        let line = metrics.text.lines().find_map(|line| line.strip_prefix(series));
        let value = line.and_then(|rest| rest.trim().parse().ok());
        value.unwrap_or_else(|| panic!("no series `{series}` in {}", metrics.text))
    }
}

fn serve(environment: impl IntoIterator<Item = (&'static str, String)>) -> Service {
    Service::start(Path::new(env!("CARGO_BIN_EXE_chat-api")), &["serve"], environment)
}

fn environment(
    database: &Database,
    topics: &Topics,
    issuer: &Issuer,
    service_key: &str,
) -> Vec<(&'static str, String)> {
    vec![
        ("TASKFLOW_HTTP_PORT", "0".to_owned()),
        ("TASKFLOW_INTERNAL_PORT", "0".to_owned()),
        ("TASKFLOW_METRICS_PORT", "0".to_owned()),
        ("TASKFLOW_LISTEN_ADDRESS", "127.0.0.1".to_owned()),
        ("TASKFLOW_DATABASE_URL", database.url()),
        ("TASKFLOW_BUS", "kafka".to_owned()),
        ("TASKFLOW_KAFKA_BROKERS", topics.brokers().to_owned()),
        ("TASKFLOW_KAFKA_PREFIX", topics.prefix().to_owned()),
        ("TASKFLOW_OIDC_ISSUER", issuer.url()),
        ("TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY", service_key.to_owned()),
        ("TASKFLOW_USER_REQUESTS_PER_SECOND", "10000".to_owned()),
    ]
}

impl Person<'_> {
    /// A request of this person, to be completed.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.app.public);
        self.app.client.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::PATCH, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::PUT, path).json(body)).await
    }

    /// A POST without a body.
    pub(crate) async fn act(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::POST, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path)).await
    }

    /// Creates a task and gives it back.
    pub(crate) async fn create(&self, body: &Value) -> Value {
        self.post("/tasks", body).await.expect(201)
    }
}

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        Self::of(request.send().await.expect("an answer comes")).await
    }

    async fn of(response: reqwest::Response) -> Self {
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.expect("the answer is text"),
        }
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Status and code of the problem, which must be one.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.expect(self.status.as_u16());
        let code = body["code"].as_str().expect("a problem has a code");
        (self.status.as_u16(), code.to_owned())
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_else(|| panic!("no header `{name}`: {self:?}"))
    }
}

/// The number of a task.
#[track_caller]
pub(crate) fn id(task: &Value) -> i64 {
    task["id"].as_i64().unwrap_or_else(|| panic!("no task: {task}"))
}
