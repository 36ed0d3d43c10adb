//! A Dapr sidecar of a service: a real daprd, with the resources that the generator writes for it.

mod resources;

use std::{env, path::PathBuf, time::Duration};

use catalogue::paths;
use reqwest::StatusCode;
use tempfile::TempDir;

pub use self::resources::Resources;
use crate::{Scheduler, Service, free_ports, http::client, service::start_bound, wait_until};

/// What services show to their sidecars in tests.
pub const API_TOKEN: &str = "token of the sidecar's API";
/// What sidecars show to their services in tests.
pub const APP_TOKEN: &str = "token of the service";

/// Far more than it takes on a quiet machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Longest time in which a sidecar that was told to stop goes on for its service, which here has nothing left to send.
const BLOCK_SHUTDOWN: &str = "1s";

/// A running sidecar. It is killed together with this value; what it printed is shown when the test fails.
pub struct Sidecar {
    process: Service,
    arguments: Vec<String>,
    port: u16,
    metrics: u16,
    /// With the files that it reads.
    folder: TempDir,
}

impl Sidecar {
    /// Starts the sidecar of a service whose internal listener has this port, or is not to be called.
    ///
    /// # Panics
    /// When there is no daprd: `TASKFLOW_DAPRD` says where it is, and `cargo xtask test` sets it.
    pub fn start(app_id: &str, app_port: Option<u16>, resources: &Resources) -> Self {
        Self::start_with(app_id, app_port, resources, "")
    }

    /// The same for a service that has jobs at this Scheduler.
    pub fn start_with_jobs(app_id: &str, app_port: u16, resources: &Resources, scheduler: &Scheduler) -> Self {
        Self::start_with(app_id, Some(app_port), resources, &scheduler.address())
    }

    fn start_with(app_id: &str, app_port: Option<u16>, resources: &Resources, scheduler: &str) -> Self {
        let folder = tempfile::tempdir().expect("there is room for files");
        let (config, resources) = resources.write(app_id, folder.path());
        let [port, grpc, internal, metrics, public] = free_ports();
        let mut arguments = vec![
            format!("--app-id={app_id}"),
            format!("--resources-path={}", resources.display()),
            format!("--config={}", config.display()),
            format!("--dapr-http-port={port}"),
            format!("--dapr-grpc-port={grpc}"),
            format!("--dapr-internal-grpc-port={internal}"),
            format!("--metrics-port={metrics}"),
            format!("--dapr-public-port={public}"),
            "--dapr-listen-addresses=127.0.0.1".to_owned(),
            "--metrics-listen-address=127.0.0.1".to_owned(),
            format!("--scheduler-host-address={scheduler}"),
            "--placement-host-address=".to_owned(),
            "--dapr-graceful-shutdown-seconds=5".to_owned(),
            format!("--dapr-block-shutdown-duration={BLOCK_SHUTDOWN}"),
        ];
        if let Some(app_port) = app_port {
            arguments.extend([
                format!("--app-port={app_port}"),
                "--app-protocol=http".to_owned(),
                "--disable-init-endpoints=subscribe,config".to_owned(),
                "--enable-app-health-check".to_owned(),
                format!("--app-health-check-path={}", paths::READY_EVENTS),
                // The least that there is.
                "--app-health-probe-interval=1".to_owned(),
                "--app-health-probe-timeout=500".to_owned(),
                "--app-health-threshold=3".to_owned(),
            ]);
        }
        Self {
            process: launch(&arguments, &folder),
            arguments,
            port,
            metrics,
            folder,
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`kill`](Self::kill), where it was.
    pub fn start_again(&mut self) {
        self.process = launch(&self.arguments, &self.folder);
    }

    /// Its HTTP API.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until it can publish.
    pub async fn becomes_ready(&self) {
        let url = format!("{}/v1.0/healthz/outbound", self.endpoint());
        wait_until("the sidecar is ready", PATIENCE, async || {
            let answer = client().get(&url).send().await.map_err(|error| error.to_string())?;
            match answer.status() {
                StatusCode::NO_CONTENT => Ok(()),
                status => Err(status.to_string()),
            }
        })
        .await;
    }

    /// The sum of the series of its metrics that begin with this name and have all of these pieces in their labels.
    pub async fn sum_of(&self, name: &str, pieces: &[&str]) -> f64 {
        let url = format!("http://127.0.0.1:{}/", self.metrics);
        let answer = client().get(url).send().await.expect("the sidecar tells its metrics");
        let text = answer.text().await.expect("metrics are text");
        let lines = text.lines().filter(|line| {
            let named = line.split(['{', ' ']).next() == Some(name);
            named && pieces.iter().all(|piece| line.contains(piece))
        });
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum()
    }

    /// The process.
    pub fn process(&mut self) -> &mut Service {
        &mut self.process
    }

    /// Has it stop as in a cluster: it takes no more events, and waits for those that it has delivered. One that does not
    /// end in this time is killed.
    pub async fn stop(mut self, patience: Duration) {
        self.process.terminate();
        let ended = async {
            while self.process.is_running() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // Killed by being dropped.
        let _in_time = tokio::time::timeout(patience, ended).await;
    }
}

fn launch(arguments: &[String], folder: &TempDir) -> Service {
    let variables = [
        ("HOME", folder.path().display().to_string()),
        ("DAPR_API_TOKEN", API_TOKEN.to_owned()),
        ("APP_API_TOKEN", APP_TOKEN.to_owned()),
    ];
    start_bound(&daprd(), arguments, variables)
}

fn daprd() -> PathBuf {
    let Some(path) = env::var_os("TASKFLOW_DAPRD").map(PathBuf::from) else {
        panic!("TASKFLOW_DAPRD is not set: `cargo xtask test` prepares the tools and sets it");
    };
    assert!(
        path.is_file(),
        "TASKFLOW_DAPRD names {}, which is not there",
        path.display()
    );
    path
}
