//! What is measured runs here: engines of its own, a fresh database and fresh topics per measure, services as processes.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use catalogue::services::CHAT_API;
use test_kit::{
    Database, EnginePair, Issuer, Service, Topics,
    core::{Ports, Wiring, topics_of_test_on},
    wait_until,
};

use crate::http::{Connection, request};

/// Clients at once where a measure does not say otherwise.
pub(crate) const CLIENTS: usize = 16;
/// Connections to the database, of the service and of what it is compared with: each client finds one.
pub(crate) const POOL: usize = 16;
const PATIENCE: Duration = Duration::from_mins(1);

/// Everything that measures share.
pub(crate) struct World {
    pub(crate) engines: EnginePair,
    /// PostgreSQL, without Docker's proxy in between where that can be avoided.
    pub(crate) postgres: String,
    pub(crate) issuer: Issuer,
    /// The folder of the release programs.
    pub(crate) programs: PathBuf,
    /// The Python of the reference.
    pub(crate) python: PathBuf,
    /// Whether to be fast instead of exact.
    pub(crate) quick: bool,
}

/// chat-api alone, on a database and topics of its own.
pub(crate) struct Chat {
    pub(crate) process: Service,
    pub(crate) address: SocketAddr,
    pub(crate) topics: Topics,
    pub(crate) database: Database,
}

impl World {
    /// The usual time, or the one for those in a hurry.
    pub(crate) fn pick<T>(&self, usual: T, quick: T) -> T {
        if self.quick { quick } else { usual }
    }

    /// A database without anything in it.
    pub(crate) async fn empty_database(&self) -> Database {
        Database::migrated_on(&self.postgres, &[]).await
    }

    pub(crate) async fn topics(&self) -> Topics {
        topics_of_test_on(&self.engines.kafka.address()).await
    }

    /// How services are wired; with connections for all clients.
    pub(crate) fn wiring(&self, database: &Database, topics: &Topics) -> Wiring {
        let mut wiring = Wiring::of_test(database, topics, &self.issuer);
        wiring
            .more
            .push(("TASKFLOW_DATABASE_MAX_CONNECTIONS", POOL.to_string()));
        wiring
    }

    /// A database with the schema of chat-api.
    pub(crate) async fn chat_database(&self) -> Result<Database> {
        let database = self.empty_database().await;
        let variables = [("TASKFLOW_DATABASE_URL", database.url())];
        let mut migration = Service::start(&self.programs.join(CHAT_API.app_id), &["migrate"], variables);
        let status = migration.exit(PATIENCE).await;
        ensure!(status.success(), "chat-api migrate: {status}: {:?}", migration.lines());
        Ok(database)
    }

    /// chat-api, ready, on a new database.
    pub(crate) async fn chat(&self) -> Result<Chat> {
        let database = self.chat_database().await?;
        self.chat_on(database).await
    }

    /// chat-api, ready, on this database.
    pub(crate) async fn chat_on(&self, database: Database) -> Result<Chat> {
        let topics = self.topics().await;
        let variables = self.wiring(&database, &topics).variables(&CHAT_API, Ports::default());
        let mut process = Service::start(&self.programs.join(CHAT_API.app_id), &["serve"], variables);
        let address = process.address("public").await;
        becomes_ready(address).await;
        Ok(Chat {
            process,
            address,
            topics,
            database,
        })
    }

    /// Tokens of so many people.
    pub(crate) fn tokens(&self, count: usize) -> Vec<String> {
        (0..count)
            .map(|number| self.issuer.token_for(&format!("person-{number}")))
            .collect()
    }
}

/// Waits until `/ready` answers 200.
pub(crate) async fn becomes_ready(address: SocketAddr) {
    wait_until(&format!("{address} is ready"), PATIENCE, async || {
        is_ready(address).await
    })
    .await;
}

/// Asks `/ready` once.
pub(crate) async fn is_ready(address: SocketAddr) -> Result<(), String> {
    let mut connection = Connection::open(address).await.map_err(|error| format!("{error:#}"))?;
    let request = request("GET", "/ready", "nobody", "", "");
    let answer = connection.send(&request).await.map_err(|error| format!("{error:#}"))?;
    if answer.status == 200 {
        return Ok(());
    }
    Err(format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body)))
}
