//! `up` holds the core for a person: what is done there outlives it, however it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use reqwest::{Client, RequestBuilder};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};
use test_kit::{containers::kept::Kept, wait_until};
use testcontainers::{bollard::query_parameters::KillContainerOptions, core::client::docker_client_instance};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// Engines, migrations and services, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_mins(2);

fn up(folder: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_up"));
    command
        .arg(folder)
        .args([&port.to_string(), "keep"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// A running one, and what it has told. It stops by itself when a failing test lets go of its standard input.
struct Up {
    child: Child,
    /// Of each service: its address and its process.
    services: BTreeMap<String, (String, i32)>,
}

impl Up {
    async fn start(folder: &Path, port: u16) -> Self {
        let mut child = up(folder, port).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut services = BTreeMap::new();
        loop {
            let line = timeout(PATIENCE, lines.next_line()).await.expect("it goes on").unwrap();
            let line = line.expect("it ends when it is told to");
            let words: Vec<&str> = line.split_whitespace().collect();
            if let [name, address, "metrics", _, "process", process] = words[..] {
                services.insert(name.to_owned(), (address.to_owned(), process.parse().unwrap()));
            }
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        assert_eq!(services.len(), 3);
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, services }
    }

    fn address(&self, service: &str) -> &str {
        &self.services[service].0
    }

    fn kill(&self, service: &str) {
        let process = Pid::from_raw(self.services[service].1).unwrap();
        kill_process(process, Signal::KILL).unwrap();
    }

    /// The services that still run as the processes that it told.
    fn alive(&self) -> Vec<&str> {
        let lives = |process: i32| test_kill_process(Pid::from_raw(process).unwrap()).is_ok();
        let services = self.services.iter().filter(|(_, (_, process))| lives(*process));
        services.map(|(name, _)| name.as_str()).collect()
    }
}

/// The person at the door.
struct Person {
    client: Client,
    token: String,
}

impl Person {
    async fn sign_in(up: &Up) -> Self {
        let client = test_kit::http::client();
        let account = json!({"name": "demo", "password": "demo-demo-demo"});
        let begin = client
            .post(format!("{}/sessions", up.address("chat-api")))
            .json(&account);
        let session = answer(begin).await.unwrap();
        let token = session["token"].as_str().unwrap().to_owned();
        Self { client, token }
    }

    async fn post(&self, url: String, body: &Value) -> Result<Value, String> {
        answer(self.client.post(url).bearer_auth(&self.token).json(body)).await
    }

    /// Waits until the list at this place has so many entries.
    async fn sees(&self, count: usize, url: String, list: &str) {
        wait_until(&format!("{url} has {count} {list}"), PATIENCE, async || {
            let page = answer(self.client.get(&url).bearer_auth(&self.token)).await?;
            match page[list].as_array() {
                Some(entries) if entries.len() == count => Ok(()),
                _ => Err(page.to_string()),
            }
        })
        .await;
    }
}

async fn answer(request: RequestBuilder) -> Result<Value, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let (status, text) = (answer.status(), answer.text().await.map_err(|error| error.to_string())?);
    if status.is_success() {
        return serde_json::from_str(&text).map_err(|error| error.to_string());
    }
    Err(format!("{status}: {text}"))
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("up-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The first of them. They lie below those that systems give to whoever asks for any, so they stay free.
fn nine_free_ports() -> u16 {
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let mut firsts = (20_000..30_000).step_by(9);
    let first = firsts.find(|first| (*first..first + 9).all(is_free));
    first.expect("some ports are free")
}

async fn kill_all(containers: Vec<String>) {
    let docker = docker_client_instance().await.unwrap();
    assert_eq!(containers.len(), 2);
    for id in containers {
        docker.kill_container(&id, None::<KillContainerOptions>).await.unwrap();
    }
}

async fn all(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut lines = BufReader::new(pipe.unwrap()).lines();
    let mut text = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        text = format!("{text}{line}\n");
    }
    text
}

#[tokio::test]
async fn kill_what_you_like_and_the_core_goes_on_with_all_that_it_had() {
    let folder = folder();
    let (kept, port) = (Kept::of(&folder), nine_free_ports());
    // Whoever changes his mind while PostgreSQL makes its files is not left with half of them.
    let mut hasty = up(&folder, port).spawn().unwrap();
    wait_until("there are two containers", PATIENCE, async || {
        match kept.containers().await.len() {
            2 => Ok(()),
            now => Err(now),
        }
    })
    .await;
    drop(hasty.stdin.take());
    assert!(
        timeout(PATIENCE, hasty.wait())
            .await
            .expect("it ends")
            .unwrap()
            .success()
    );
    assert_eq!(kept.containers().await, Vec::<String>::new());

    let mut first = Up::start(&folder, port).await;
    let ada = Person::sign_in(&first).await;
    let task = json!({
        "title": "Call Ada",
        "due": {"kind": "zoned", "local": "2030-01-07T18:00:00", "zone": "Europe/Berlin"},
        "recurrence": {"rule": "FREQ=WEEKLY"},
    });
    let tasks = format!("{}/tasks", first.address("chat-api"));
    let task = ada.post(tasks.clone(), &task).await.unwrap();

    // A second one is refused, and disturbs nobody.
    let mut second = up(&folder, port).stderr(Stdio::piped()).spawn().unwrap();
    let said = all(second.stderr.take()).await;
    assert!(
        !second.wait().await.unwrap().success() && said.contains("--data"),
        "{said}"
    );

    // Nobody is there to make the next instance, to tell of the completion or to remember it, until they are again.
    first.kill("recurring-tasks");
    kill_all(kept.containers().await).await;
    let complete = format!("{tasks}/{}/complete", task["id"]);
    wait_until("the task is completed", PATIENCE, async || {
        ada.post(complete.clone(), &json!({})).await
    })
    .await;
    ada.sees(2, format!("{tasks}?text=ada"), "items").await;

    // It dies without a chance to clean up; its services and engines live on.
    first.child.kill().await.unwrap();
    assert_eq!(first.alive(), ["audit", "chat-api"]);
    assert_eq!(kept.containers().await.len(), 2);
    let mut next = Up::start(&folder, port).await;
    assert_eq!(first.alive(), Vec::<&str>::new());
    // The token is as good as it was.
    ada.sees(2, format!("{}/tasks?text=ada", next.address("chat-api")), "items")
        .await;
    let trail = format!("{}/tasks/{}/audit", next.address("audit"), task["id"]);
    ada.sees(2, trail, "entries").await;

    // And this is Ctrl-C.
    drop(next.child.stdin.take());
    let status = timeout(PATIENCE, next.child.wait()).await.expect("it ends").unwrap();
    assert!(status.success(), "{status}");
    assert_eq!(next.alive(), Vec::<&str>::new());
    assert_eq!(kept.containers().await, Vec::<String>::new());
    kept.forget().await;
    fs::remove_dir_all(folder).unwrap();
}
