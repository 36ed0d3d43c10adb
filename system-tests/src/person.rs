//! Somebody who uses the core, and asks again until there is an answer.

use std::{
    fmt::Debug,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use tokio::time::{Instant, interval};

use crate::world::PATIENCE;

/// Time between two attempts of the same request.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);
/// Longer than the core takes to say that it cannot answer.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// Somebody with a token.
#[derive(Clone)]
pub struct Person {
    client: Client,
    token: String,
    chat_api: String,
    audit: String,
    trouble: Arc<Trouble>,
}

/// What went wrong on the way between people and the core.
#[derive(Debug, Default)]
pub struct Trouble {
    /// Connections that ended without an answer.
    pub broken: AtomicUsize,
    /// Answers that something is away.
    pub unavailable: AtomicUsize,
    complaints: Mutex<Vec<String>>,
}

impl Trouble {
    /// What must never be, whoever dies.
    pub fn complaints(&self) -> Vec<String> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often a request had to be sent again.
    pub fn total(&self) -> usize {
        self.broken.load(Relaxed) + self.unavailable.load(Relaxed)
    }

    fn complain(&self, answer: &Answer) {
        let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        complaints.push(format!("an answer that must not be: {answer:?}"));
    }

    /// Whether the answer says more than that it cannot be given now.
    fn judge(&self, answer: reqwest::Result<Answer>) -> Result<Answer, String> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.broken.fetch_add(1, Relaxed);
                return Err(error.to_string());
            }
        };
        match answer.status {
            503 => {
                self.unavailable.fetch_add(1, Relaxed);
                if !answer.headers.contains_key("retry-after") {
                    self.complain(&answer);
                }
            }
            500.. => self.complain(&answer),
            _ => return Ok(answer),
        }
        Err(format!("{answer:?}"))
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body; null when there is none.
    pub body: Value,
    /// Whether the same request was sent before and its fate was unknown.
    pub repeated: bool,
}

impl Answer {
    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{self:?}");
        &self.body
    }

    /// Value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    async fn of(request: RequestBuilder, repeated: bool) -> reqwest::Result<Self> {
        let response = request.timeout(ANSWER_TIME).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Self {
            status,
            headers,
            body,
            repeated,
        })
    }
}

/// What is asked for: everything that a repetition has to say again.
#[derive(Clone, Debug)]
pub struct Ask {
    method: Method,
    path: String,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl Ask {
    /// A request without a body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: None,
            headers: Vec::new(),
        }
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// With this header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Person {
    pub(crate) fn new(token: String, chat_api: String, audit: String, trouble: Arc<Trouble>) -> Self {
        // A second choice changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().no_proxy().build().expect("the settings are valid");
        Self {
            client,
            token,
            chat_api,
            audit,
            trouble,
        }
    }

    /// The same person at another replica of chat-api.
    #[must_use]
    pub fn at(&self, chat_api: std::net::SocketAddr) -> Self {
        Self {
            chat_api: format!("http://{chat_api}"),
            ..self.clone()
        }
    }

    /// Asks chat-api once.
    pub async fn once(&self, ask: &Ask) -> reqwest::Result<Answer> {
        Answer::of(self.request(ask), false).await
    }

    /// Asks chat-api again and again, until there is an answer that says more than that it cannot be given.
    pub async fn ask(&self, ask: &Ask) -> Answer {
        let (end, mut pause) = (Instant::now() + PATIENCE, interval(BETWEEN_ATTEMPTS));
        // Not `wait_until`, whose future cannot move between threads with what it borrows.
        let mut repeated = false;
        loop {
            pause.tick().await;
            match self.trouble.judge(Answer::of(self.request(ask), repeated).await) {
                Ok(answer) => return answer,
                Err(last) => assert!(
                    Instant::now() < end,
                    "{} {} is not answered; last: {last}",
                    ask.method,
                    ask.path
                ),
            }
            repeated = true;
        }
    }

    /// Reads from chat-api.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(&Ask::new(Method::GET, path)).await
    }

    /// Posts to chat-api.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(&Ask::new(Method::POST, path).body(body)).await
    }

    /// Posts to chat-api without a body.
    pub async fn act(&self, path: &str) -> Answer {
        self.ask(&Ask::new(Method::POST, path)).await
    }

    /// Reads from audit.
    pub async fn audit(&self, path: &str) -> Answer {
        let url = format!("{}{path}", self.audit);
        let answer = Answer::of(self.client.get(url).bearer_auth(&self.token), false).await;
        answer.expect("audit answers")
    }

    fn request(&self, ask: &Ask) -> RequestBuilder {
        let url = format!("{}{}", self.chat_api, ask.path);
        let request = self.client.request(ask.method.clone(), url).bearer_auth(&self.token);
        let request = ask
            .headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, value));
        match &ask.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}
