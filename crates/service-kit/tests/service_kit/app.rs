//! Routes on a real socket, and what comes back from them.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use catalogue::Catalogue;
use metrics::Metrics;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// Metrics of a service that checks tokens and publishes none of its own here.
pub(crate) fn metrics() -> Metrics {
    Metrics::new(&Catalogue::taskflow(), catalogue::app_ids::CHAT_API)
}

/// A client. Nothing here is encrypted, but a client is not made without the means to do so.
pub(crate) fn client() -> Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::new()
}

/// Value of the series as `/metrics` would show it.
pub(crate) fn value_of(metrics: &Metrics, series: &str) -> String {
    let shown = metrics.render();
    let value = shown
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no series `{series}`")).to_owned()
}

/// Routes that are served on loopback until dropped.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
}

impl App {
    pub(crate) async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let address = listener.local_addr().expect("the socket is bound");
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving goes on") });
        Self { address, server }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
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
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer comes");
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.expect("the answer is text"),
        }
    }

    /// Status and code of the problem, which must be one.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16(), "{self:?}");
        (
            self.status.as_u16(),
            body["code"].as_str().expect("a problem has a code").to_owned(),
        )
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_else(|| panic!("no header `{name}`: {self:?}"))
    }
}
