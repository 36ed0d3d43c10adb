//! A chat-api that notes what it is told, and answers as a test wants.

use std::{
    collections::{BTreeSet, VecDeque},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use catalogue::{Catalogue, app_ids, paths, services::CREATE_OCCURRENCE};
use metrics::Metrics;
use serde_json::Value;
use service_kit::{
    Problem,
    auth::{PublicKey, ServiceTokenChecker, services_only},
    problem::Code,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
};

/// The stand-in. It checks tokens as the real one does, and creates each occurrence once.
pub(crate) struct ChatApi {
    address: SocketAddr,
    routes: Router,
    notes: Arc<Notes>,
    /// It runs in here, so that it can vanish together with its connections.
    runtime: Option<Runtime>,
}

struct Notes {
    commands: Mutex<Vec<Command>>,
    created: Mutex<BTreeSet<String>>,
    problems: Mutex<VecDeque<&'static Code>>,
    /// Whether nobody gets an answer.
    silent: watch::Sender<bool>,
    /// Whether commands get none.
    hesitating: watch::Sender<bool>,
    /// Tasks of which commands never get one.
    stuck: Mutex<BTreeSet<i64>>,
}

/// What it was told.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) task: i64,
    pub(crate) body: Value,
    pub(crate) headers: HeaderMap,
}

impl Command {
    /// Intended local time of the occurrence, and its place in the series.
    pub(crate) fn occurrence(&self) -> (String, u64) {
        let key = self.body["occurrence_key"].as_str().unwrap();
        (key.to_owned(), self.body["ordinal"].as_u64().unwrap())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name}"))
            .to_str()
            .unwrap()
    }
}

impl ChatApi {
    /// Begins to answer whoever shows tokens signed with the private half of this key.
    pub(crate) fn start(public_key: &str) -> Self {
        let notes = Arc::new(Notes {
            commands: Mutex::default(),
            created: Mutex::default(),
            problems: Mutex::default(),
            silent: watch::Sender::new(false),
            hesitating: watch::Sender::new(false),
            stuck: Mutex::default(),
        });
        let key = PublicKey::from_ed25519_pem(public_key).unwrap();
        let tokens = ServiceTokenChecker::new(key, &Metrics::new(&Catalogue::taskflow(), app_ids::CHAT_API));
        let commands = Router::new().route(CREATE_OCCURRENCE.path, post(create));
        let routes = services_only(commands, &tokens, CREATE_OCCURRENCE.access)
            .route(paths::READY_EVENTS, get(ready))
            .with_state(Arc::clone(&notes));
        let mut chat_api = Self {
            address: "127.0.0.1:0".parse().unwrap(),
            routes,
            notes,
            runtime: None,
        };
        chat_api.come_back();
        chat_api
    }

    /// Address of the internal port.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends, with every connection.
    pub(crate) fn go_away(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Listens again where it did before.
    pub(crate) fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        listener.set_nonblocking(true).unwrap();
        self.address = listener.local_addr().unwrap();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let routes = self.routes.clone();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, routes).await
        });
        self.runtime = Some(runtime);
    }

    /// From now on nobody gets an answer (or again, with `false`).
    pub(crate) fn set_silent(&self, silent: bool) {
        self.notes.silent.send_replace(silent);
    }

    /// From now on commands get no answer (or again, with `false`).
    pub(crate) fn set_hesitating(&self, hesitating: bool) {
        self.notes.hesitating.send_replace(hesitating);
    }

    /// Commands about this task never get an answer.
    pub(crate) fn get_stuck_at(&self, task: i64) {
        self.notes.stuck.lock().unwrap().insert(task);
    }

    /// The next commands get these answers, and have no effect.
    pub(crate) fn refuse_next(&self, problems: impl IntoIterator<Item = &'static Code>) {
        self.notes.problems.lock().unwrap().extend(problems);
    }

    /// Forgets the answers that it still has to give.
    pub(crate) fn refuse_no_more(&self) {
        self.notes.problems.lock().unwrap().clear();
    }

    /// Every command so far, those that were refused and those that came again included.
    pub(crate) fn commands(&self) -> Vec<Command> {
        self.notes.commands.lock().unwrap().clone()
    }

    /// How many instances it has created.
    pub(crate) fn created(&self) -> usize {
        self.notes.created.lock().unwrap().len()
    }
}

impl Drop for ChatApi {
    fn drop(&mut self) {
        self.go_away();
    }
}

async fn create(
    State(notes): State<Arc<Notes>>,
    Path(task): Path<i64>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let occurrence = format!("{} {}", body["series"], body["occurrence_key"]);
    notes.commands.lock().unwrap().push(Command { task, body, headers });
    until_not(&notes.silent).await;
    until_not(&notes.hesitating).await;
    if notes.stuck.lock().unwrap().contains(&task) {
        return std::future::pending().await;
    }
    if let Some(code) = notes.problems.lock().unwrap().pop_front() {
        return Problem::new(code).into_response();
    }
    let is_new = notes.created.lock().unwrap().insert(occurrence);
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    (status, Json(serde_json::json!({ "task_id": task + 1_000_000 }))).into_response()
}

async fn ready(State(notes): State<Arc<Notes>>) -> &'static str {
    until_not(&notes.silent).await;
    "ready"
}

async fn until_not(state: &watch::Sender<bool>) {
    let mut state = state.subscribe();
    state.wait_for(|it| !it).await.unwrap();
}
