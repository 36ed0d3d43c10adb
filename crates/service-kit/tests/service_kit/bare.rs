//! The smallest service as a process of its own.

use std::{net::SocketAddr, path::Path, time::Duration};

use serde_json::Value;
use test_kit::{Database, Service, wait_until};

use crate::app::{Answer, client};

/// Far more than anything takes on a quiet machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A running service with a database of its own.
pub(crate) struct Bare {
    pub(crate) process: Service,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

impl Bare {
    /// Starts it with these variables besides those that it needs.
    pub(crate) async fn start(database_url: &str, more: &[(&'static str, &str)]) -> Self {
        let mut process = start("serve", database_url, more);
        Self {
            public: process.address("public").await,
            internal: process.address("internal").await,
            metrics: process.address("metrics").await,
            process,
        }
    }

    /// Starts it, and waits until it takes traffic.
    pub(crate) async fn ready(database: &Database) -> Self {
        migrated(database).await;
        let service = Self::start(&database.url(), &[]).await;
        service.becomes_ready().await;
        service
    }

    pub(crate) async fn becomes_ready(&self) {
        wait_until("the service is ready", DEADLINE, async || {
            match self.get("/ready").await {
                answer if answer.status == 200 => Ok(()),
                answer => Err(answer.text),
            }
        })
        .await;
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(self.public, path).await
    }

    pub(crate) async fn metric(&self, series: &str) -> String {
        let shown = get(self.metrics, "/metrics").await.text;
        let line = shown
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no series `{series}`")).to_owned()
    }

    /// The log so far: every line is a JSON object.
    pub(crate) fn log(&self) -> Vec<Value> {
        log(&self.process)
    }

    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        self.process.exit(DEADLINE).await.code()
    }
}

/// Runs one of its commands.
pub(crate) fn start(command: &str, database_url: &str, more: &[(&'static str, &str)]) -> Service {
    let mut variables = vec![
        ("TASKFLOW_LISTEN_ADDRESS", "127.0.0.1"),
        ("TASKFLOW_HTTP_PORT", "0"),
        ("TASKFLOW_INTERNAL_PORT", "0"),
        ("TASKFLOW_METRICS_PORT", "0"),
        ("TASKFLOW_DATABASE_URL", database_url),
    ];
    variables.extend(more);
    let program = Path::new(env!("CARGO_BIN_EXE_bare-service"));
    Service::start(
        program,
        &[command],
        variables.into_iter().map(|(name, value)| (name, value.to_owned())),
    )
}

/// Brings the database to what the service needs.
pub(crate) async fn migrated(database: &Database) {
    let mut migration = start("migrate", &database.url(), &[]);
    assert!(migration.exit(DEADLINE).await.success(), "{:?}", migration.lines());
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Answer {
    Answer::to(client().get(format!("http://{address}{path}"))).await
}

/// What a process has printed so far: every line is a JSON object.
pub(crate) fn log(process: &Service) -> Vec<Value> {
    let lines = process.lines();
    let parsed = lines.iter().map(|line| serde_json::from_str(line));
    parsed
        .map(|line| line.unwrap_or_else(|error| panic!("{error} in the log:\n{}", lines.join("\n"))))
        .collect()
}

pub(crate) fn messages(process: &Service) -> Vec<String> {
    log(process)
        .iter()
        .map(|line| line["message"].as_str().expect("a line has a message").to_owned())
        .collect()
}
