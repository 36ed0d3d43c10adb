//! A server of a person's: takes webhooks and push messages, keeps what came, and answers as it is told.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use test_kit::wait_until;
use tokio::net::TcpListener;

use crate::world::PATIENCE;

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How a call is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    Status(u16),
    /// To this address.
    Redirect(&'static str),
    /// Never.
    Silence,
}

#[derive(Default)]
struct Shared {
    calls: Vec<Call>,
    replies: Vec<Reply>,
}

/// The server. It answers 200 unless it was told otherwise.
#[derive(Clone)]
pub(crate) struct Receiver {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Mutex<Shared>>::default();
        let app = Router::new().fallback(take).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next calls like this, then 200 again.
    pub(crate) fn replies(&self, replies: &[Reply]) {
        let mut shared = lock(&self.shared);
        shared.replies = replies.to_vec();
        shared.replies.reverse();
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        lock(&self.shared).calls.clone()
    }

    /// Waits for so many calls, and gives them.
    pub(crate) async fn gets(&self, count: usize) -> Vec<Call> {
        wait_until(&format!("{count} calls"), PATIENCE, async || match self.calls() {
            calls if calls.len() >= count => Ok(calls),
            calls => Err(format!("{} calls", calls.len())),
        })
        .await
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(
    State(shared): State<Arc<Mutex<Shared>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call {
        method,
        path: uri.path().to_owned(),
        headers,
        body,
    };
    let reply = {
        let mut shared = lock(&shared);
        shared.calls.push(call);
        shared.replies.pop()
    };
    match reply {
        None => StatusCode::OK.into_response(),
        Some(Reply::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Reply::Redirect(to)) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Some(Reply::Silence) => std::future::pending().await,
    }
}
