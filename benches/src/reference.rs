//! The same endpoints on FastAPI and SQLModel, as `benches/fastapi/app.py` has them.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use test_kit::{Database, Service, free_port};

use crate::{
    http::{Connection, request},
    world::{POOL, World, becomes_ready},
};

/// Processes, as many as the machine of the goals has cores.
const WORKERS: usize = 2;

/// The running reference.
pub(crate) struct Reference {
    process: Service,
    pub(crate) address: SocketAddr,
    /// Declared behind the process, which uses it.
    pub(crate) database: Database,
}

impl Reference {
    /// On a new database with the schema of chat-api.
    pub(crate) async fn start(world: &World) -> Result<Self> {
        let database = world.chat_database().await?;
        let port = free_port();
        let (folder, port_text) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("fastapi"), port.to_string());
        let workers = WORKERS.to_string();
        #[rustfmt::skip]
        let arguments = [
            "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", &port_text, "--workers", &workers,
            "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning",
        ];
        let variables = [
            ("PYTHONPATH", folder.display().to_string()),
            ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
            ("DATABASE_URL", database.url()),
            ("POOL_SIZE", (POOL / WORKERS).to_string()),
            ("ISSUER", world.issuer.url()),
            ("JWKS", keys(&world.issuer.jwks_url()).await?),
        ];
        let process = Service::start(&world.python, &arguments, variables);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        becomes_ready(address).await;
        Ok(Self {
            process,
            address,
            database,
        })
    }

    /// Ends it with its workers, which a signal to the first process alone would leave behind.
    pub(crate) async fn stop(mut self) {
        self.process.terminate();
        self.process.exit(Duration::from_secs(30)).await;
    }
}

async fn keys(url: &str) -> Result<String> {
    let rest = url.strip_prefix("http://").context("the issuer is on loopback")?;
    let (address, path) = rest.split_once('/').context("the keys have a path")?;
    let mut connection = Connection::open(address.parse()?).await?;
    let request = request("GET", &format!("/{path}"), "nobody", "", "");
    let answer = connection.send(&request).await?;
    Ok(String::from_utf8(answer.body.to_vec())?)
}
