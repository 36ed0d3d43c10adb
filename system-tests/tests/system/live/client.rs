//! A client that does what `docs/live-updates.md` says, and no more.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{Person, person::Ask};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

use super::Addresses;

/// Version, title and status of each task.
pub(super) type Tasks = BTreeMap<i64, (i64, String, String)>;

/// Twice the time between two heartbeats.
const SILENCE: Duration = Duration::from_secs(40);

pub(super) struct Client {
    person: Person,
    token: String,
    tasks: Arc<Mutex<Tasks>>,
    /// Versions of tasks that are deleted.
    deleted: BTreeMap<i64, i64>,
    position: Option<i64>,
    counts: Arc<Mutex<[usize; 3]>>,
}

/// The connection is over.
struct Over;

impl Client {
    pub(super) fn new(person: Person, token: String) -> Self {
        Self {
            person,
            token,
            tasks: Arc::default(),
            deleted: BTreeMap::new(),
            position: None,
            counts: Arc::default(),
        }
    }

    /// What it has.
    pub(super) fn tasks(&self) -> Arc<Mutex<Tasks>> {
        Arc::clone(&self.tasks)
    }

    /// How many changes it was told, how often it resumed, and how often it loaded everything.
    pub(super) fn counts(&self) -> Arc<Mutex<[usize; 3]>> {
        Arc::clone(&self.counts)
    }

    /// Stays connected, now here and now there.
    pub(super) async fn run(mut self, addresses: Addresses, seed: u64, stop: CancellationToken) {
        let mut random = StdRng::seed_from_u64(seed);
        while !stop.is_cancelled() {
            let address = {
                let addresses = addresses.lock().unwrap();
                addresses[random.random_range(0..addresses.len())]
            };
            let connected = async {
                let stream = TcpStream::connect(address).await.ok()?;
                Some(client_async(format!("ws://{address}/ws"), stream).await.ok()?.0)
            };
            if let Some(mut socket) = connected.await {
                // However it ends, the next one begins where this one was.
                let _ = stop.run_until_cancelled(self.listen(&mut socket)).await;
            }
            let wait = Duration::from_millis(random.random_range(10..300));
            let _ = stop.run_until_cancelled(tokio::time::sleep(wait)).await;
        }
    }

    async fn listen(&mut self, socket: &mut WebSocketStream<TcpStream>) -> Result<(), Over> {
        let hello = json!({"type": "hello", "token": self.token, "resume": self.position});
        socket.send(Message::text(hello.to_string())).await.map_err(|_| Over)?;
        loop {
            let message = next(socket).await?;
            match message["type"].as_str() {
                Some("welcome") if message["resumed"] == true => self.count(1),
                // What was to be resumed from and cannot is followed by a refetch.
                Some("welcome") if self.position.is_some() => {}
                Some("welcome" | "refetch") => self.load(message["sequence"].as_i64()).await,
                Some("change") => self.apply(&message),
                _ => {}
            }
        }
    }

    /// Loads everything. What comes meanwhile waits in the socket.
    async fn load(&mut self, sequence: Option<i64>) {
        self.position = None;
        let (mut loaded, mut cursor) = (Tasks::new(), String::new());
        loop {
            let ask = Ask::new(Method::GET, format!("/tasks?sort=created&limit=200{cursor}"));
            let answer = self.person.ask(&ask).await;
            let page = answer.expect(200);
            for task in page["items"].as_array().unwrap() {
                let (id, told) = told(task);
                if self.deleted.get(&id).is_none_or(|deleted| told.0 > *deleted) {
                    loaded.insert(id, told);
                }
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        *self.tasks.lock().unwrap() = loaded;
        self.position = sequence;
        self.count(2);
    }

    fn apply(&mut self, change: &Value) {
        let (id, told) = told(&change["task"]);
        let mut tasks = self.tasks.lock().unwrap();
        let known = tasks.get(&id).map(|task| task.0).or(self.deleted.get(&id).copied());
        if known.is_none_or(|known| told.0 > known) {
            if change["change"] == "deleted" {
                tasks.remove(&id);
                self.deleted.insert(id, told.0);
            } else {
                tasks.insert(id, told);
            }
        }
        drop(tasks);
        let sequence = change["sequence"].as_i64().unwrap();
        assert!(
            self.position.is_none_or(|position| sequence > position),
            "{sequence} comes after {:?}",
            self.position
        );
        self.position = Some(sequence);
        self.count(0);
    }

    fn count(&self, what: usize) {
        self.counts.lock().unwrap()[what] += 1;
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Result<Value, Over> {
    loop {
        match timeout(SILENCE, socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => return Ok(serde_json::from_str(&text).unwrap()),
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            _ => return Err(Over),
        }
    }
}

/// Id, version, title and status.
fn told(task: &Value) -> (i64, (i64, String, String)) {
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    (
        task["id"].as_i64().unwrap(),
        (task["version"].as_i64().unwrap(), text("title"), text("status")),
    )
}
