//! Dapr's Scheduler: a real one, alone, with its embedded etcd.

use std::{env, path::PathBuf, time::Duration};

use tempfile::TempDir;

use crate::{Service, free_ports, http::client, service::start_bound, wait_until};

/// Far more than it takes on a quiet machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Its name among its peers, of which there are none.
const ID: &str = "dapr-scheduler-server-0";

/// A running Scheduler. It is killed together with this value; what it printed is shown when the test fails.
pub struct Scheduler {
    process: Service,
    ports: Ports,
    folder: TempDir,
}

#[derive(Clone, Copy)]
struct Ports {
    jobs: u16,
    etcd: u16,
    peers: u16,
    health: u16,
    metrics: u16,
}

impl Scheduler {
    /// Starts one without any job, and waits until it takes some.
    ///
    /// # Panics
    /// When there is none: `TASKFLOW_DAPR_SCHEDULER` says where it is, and `cargo xtask test` sets it.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("there is room for files");
        let [jobs, etcd, peers, health, metrics] = free_ports();
        let ports = Ports {
            jobs,
            etcd,
            peers,
            health,
            metrics,
        };
        let scheduler = Self {
            process: launch(ports, &folder),
            ports,
            folder,
        };
        scheduler.becomes_ready().await;
        scheduler
    }

    /// Where sidecars find it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.jobs)
    }

    /// SIGKILL. Its jobs stay on disk.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`kill`](Self::kill), with the jobs that it had, and waits until it takes some. It fires
    /// nothing before the lease of the one that died has run out, about 20 s after its death.
    pub async fn start_again(&mut self) {
        self.process = launch(self.ports, &self.folder);
        self.becomes_ready().await;
    }

    async fn becomes_ready(&self) {
        let url = format!("http://127.0.0.1:{}/healthz", self.ports.health);
        wait_until("the Scheduler is ready", PATIENCE, async || {
            let answer = client().get(&url).send().await.map_err(|error| error.to_string())?;
            match answer.status() {
                status if status.is_success() => Ok(()),
                status => Err(status.to_string()),
            }
        })
        .await;
    }
}

fn launch(ports: Ports, folder: &TempDir) -> Service {
    let Ports {
        jobs,
        etcd,
        peers,
        health,
        metrics,
    } = ports;
    let arguments = [
        format!("--id={ID}"),
        format!("--port={jobs}"),
        "--listen-address=127.0.0.1".to_owned(),
        format!("--etcd-data-dir={}", folder.path().display()),
        format!("--etcd-client-port={etcd}"),
        "--etcd-client-listen-address=127.0.0.1".to_owned(),
        format!("--etcd-initial-cluster={ID}=http://127.0.0.1:{peers}"),
        format!("--healthz-port={health}"),
        "--healthz-listen-address=127.0.0.1".to_owned(),
        format!("--metrics-port={metrics}"),
        "--metrics-listen-address=127.0.0.1".to_owned(),
    ];
    let variables = [("HOME", folder.path().display().to_string())];
    start_bound(&program(), &arguments, variables)
}

fn program() -> PathBuf {
    let Some(path) = env::var_os("TASKFLOW_DAPR_SCHEDULER").map(PathBuf::from) else {
        panic!("TASKFLOW_DAPR_SCHEDULER is not set: `cargo xtask test` prepares the tools and sets it");
    };
    assert!(
        path.is_file(),
        "TASKFLOW_DAPR_SCHEDULER names {}, which is not there",
        path.display()
    );
    path
}
