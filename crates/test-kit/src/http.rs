//! Questions by HTTP, and what came back.

use std::net::SocketAddr;

use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// Sends the request.
    ///
    /// # Panics
    /// When nothing answers.
    pub async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("it is answered");
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.expect("the answer is whole"),
        }
    }

    /// The body, which must be JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and code of the problem, which must be one.
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let code = self.json()["code"].as_str().expect("a problem has a code").to_owned();
        (self.status.as_u16(), code)
    }
}

/// A client that asks directly. Whoever is first in the process chooses who does its cryptography; a second choice
/// changes nothing.
pub fn client() -> Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder()
        .no_proxy()
        .build()
        .expect("nothing of it can be wrong")
}

/// Asks for this path.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    Answer::to(client().get(format!("http://{address}{path}"))).await
}
