//! A service that is started again whenever it ends by itself.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    env,
    fs::{self, File, OpenOptions},
    future,
    io::Write as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail};
use catalogue::Service;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use test_kit::{
    Wiring,
    core::{Ports, wiring::SERVICES},
    http,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::folder::Folder;

/// How long a service may take until it is ready: far more than it needs on a quiet machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Time between two looks whether a service is ready.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// One that ends sooner than this after its start is not started again at once.
const SOON: Duration = Duration::from_secs(10);
/// Pauses before a start grow from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// What a service may take for its end beyond its own deadline.
const BEYOND_DRAIN: Duration = Duration::from_secs(5);

/// A running service.
pub(crate) struct Supervised {
    pub(crate) service: &'static Service,
    pub(crate) ports: Ports,
    state: watch::Receiver<State>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Clone)]
enum State {
    Starting,
    /// As this process.
    Ready(u32),
    /// Before it was ready for the first time, for this reason.
    Failed(String),
}

/// What is started, again and again.
struct Program {
    service: &'static Service,
    path: PathBuf,
    variables: BTreeMap<&'static str, String>,
    ready_url: String,
    log: PathBuf,
    folder: Arc<Folder>,
}

impl Supervised {
    pub(crate) fn start(
        service: &'static Service,
        wiring: &Wiring,
        ports: Ports,
        folder: &Arc<Folder>,
    ) -> Result<Self> {
        let program = Program {
            service,
            path: program(service)?,
            variables: wiring.variables(service, ports),
            ready_url: format!("http://127.0.0.1:{}{}", ports.http, service.probes.readiness),
            log: folder.log(service.app_id),
            folder: Arc::clone(folder),
        };
        let (state, watched) = watch::channel(State::Starting);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = program.supervise(&state, &stopped).await {
                eprintln!("up: {}: {error:#}", service.app_id);
                state.send_replace(State::Failed(format!("{error:#}")));
            }
        });
        Ok(Self {
            service,
            ports,
            state: watched,
            stop,
            task,
        })
    }

    /// Waits until it takes traffic for the first time.
    pub(crate) async fn becomes_ready(&mut self) -> Result<()> {
        let name = self.service.app_id;
        let left_start = self.state.wait_for(|state| !matches!(state, State::Starting));
        let state = timeout(PATIENCE, left_start)
            .await
            .map_err(|_| anyhow!("{name} is not ready after {} s", PATIENCE.as_secs()))?
            .with_context(|| format!("nobody looks after {name}"))?
            .clone();
        match state {
            State::Failed(why) => bail!("{name} does not start: {why}"),
            State::Starting | State::Ready(_) => Ok(()),
        }
    }

    /// The process that it runs as, if it does at this moment.
    pub(crate) fn process(&self) -> Option<u32> {
        match *self.state.borrow() {
            State::Ready(process) => Some(process),
            State::Starting | State::Failed(_) => None,
        }
    }

    /// Asks all to stop, waits for them, and tells how they ended.
    pub(crate) async fn stop_all(services: Vec<Self>) {
        for service in &services {
            service.stop.cancel();
        }
        for service in services {
            // It has told what went wrong.
            let _ = service.task.await;
        }
    }
}

impl Program {
    async fn supervise(&self, state: &watch::Sender<State>, stop: &CancellationToken) -> Result<()> {
        File::create(&self.log).with_context(|| format!("could not write {}", self.log.display()))?;
        let (mut ended, mut pause) = (None, Duration::ZERO);
        loop {
            if timeout(pause, stop.cancelled()).await.is_ok() {
                return Ok(());
            }
            let begin = Instant::now();
            let mut child = self.spawn()?;
            let process = child.id().context("it has no process id")?;
            self.folder.note_process(process, &self.path, ended)?;
            let status = tokio::select! {
                biased;
                () = stop.cancelled() => return self.stop(child, process).await,
                status = self.lives(&mut child, process, state) => status.context("could not wait for it")?,
            };
            if matches!(*state.borrow(), State::Starting) {
                bail!("{status}; it said:\n{}", last_messages(&self.log));
            }
            pause = if begin.elapsed() < SOON {
                (pause * 2).clamp(PAUSES.0, PAUSES.1)
            } else {
                Duration::ZERO
            };
            let name = self.service.app_id;
            eprintln!("up: {name} (process {process}) has ended: {status}. Starting it again.");
            ended = Some(process);
        }
    }

    /// The life of a process from its start to its end; tells when it is ready.
    async fn lives(
        &self,
        child: &mut Child,
        process: u32,
        state: &watch::Sender<State>,
    ) -> std::io::Result<ExitStatus> {
        let begin = Instant::now();
        let becomes_ready = async {
            let client = http::client();
            loop {
                let answer = client.get(&self.ready_url).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    break;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let again = matches!(state.send_replace(State::Ready(process)), State::Ready(_));
            if again {
                let (name, seconds) = (self.service.app_id, begin.elapsed().as_secs_f32());
                eprintln!(
                    "up: {name} is ready again as process {process}, after {seconds:.1} s.{}",
                    self.wait()
                );
            }
            future::pending::<Infallible>().await
        };
        tokio::select! {
            status = child.wait() => status,
            never = becomes_ready => match never {},
        }
    }

    /// What a person would wonder about after a kill.
    fn wait(&self) -> &'static str {
        match self.service.consumer_group {
            Some(_) => " It goes on with events within 10 s: then Kafka gives up on the process before.",
            None => "",
        }
    }

    fn spawn(&self) -> Result<Child> {
        let mut child = Command::new(&self.path)
            .arg("serve")
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {}", self.path.display()))?;
        tokio::spawn(keep(child.stdout.take(), self.open_log()?, self.service.app_id));
        tokio::spawn(keep(child.stderr.take(), self.open_log()?, self.service.app_id));
        Ok(child)
    }

    fn open_log(&self) -> Result<File> {
        let opened = OpenOptions::new().append(true).open(&self.log);
        opened.with_context(|| format!("could not write {}", self.log.display()))
    }

    async fn stop(&self, mut child: Child, process: u32) -> Result<()> {
        let begin = Instant::now();
        let id = i32::try_from(process).ok().and_then(Pid::from_raw);
        // It may have ended by itself at this moment.
        let _ = kill_process(id.context("process ids are positive")?, Signal::TERM);
        let drain = Duration::from_secs(self.service.drain_seconds.into());
        let (name, deadline) = (self.service.app_id, drain + BEYOND_DRAIN);
        if let Ok(status) = timeout(deadline, child.wait()).await {
            let (status, seconds) = (status.context("could not wait for it")?, begin.elapsed().as_secs_f32());
            eprintln!("up: {name} has stopped after {seconds:.1} s, {status}");
        } else {
            child.kill().await.context("could not kill it")?;
            eprintln!(
                "up: {name} has not stopped after {} s and was killed",
                deadline.as_secs()
            );
        }
        Ok(())
    }
}

/// Brings the schemas to what the programs need, all at once as in a cluster.
pub(crate) async fn migrate(wiring: &Wiring, folder: &Folder) -> Result<()> {
    let migrations = SERVICES.map(|service| async move {
        let output = Command::new(program(service)?)
            .arg("migrate")
            .env_clear()
            .envs(wiring.variables(service, Ports::default()))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("could not start {}", service.app_id))?;
        if output.status.success() {
            return Ok(());
        }
        let log = folder.log(service.app_id);
        fs::write(&log, [output.stdout, output.stderr].concat())
            .with_context(|| format!("could not write {}", log.display()))?;
        let (name, status) = (service.app_id, output.status);
        bail!(
            "{name} could not migrate its schema, {status}; it said:\n{}",
            last_messages(&log)
        )
    });
    let [first, second, third] = migrations;
    tokio::try_join!(first, second, third).map(drop)
}

/// Where a service lies: all programs of a build are in one folder.
fn program(service: &Service) -> Result<PathBuf> {
    let own = env::current_exe().context("could not find the own program")?;
    let program = own.with_file_name(service.app_id);
    if !program.is_file() {
        bail!("{} is not built", program.display());
    }
    Ok(program)
}

/// Writes every line to the log, and shows those that somebody must see.
async fn keep(pipe: Option<impl AsyncRead + Unpin>, mut log: File, name: &str) {
    let Some(pipe) = pipe else { return };
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(trouble) = trouble(&line) {
            eprintln!("{name}: {trouble}");
        }
        // A full disk must not stop the service.
        let _ = log.write_all(format!("{line}\n").as_bytes());
    }
}

/// What a line tells that somebody must see: an error, or what is no line of a log at all.
fn trouble(line: &str) -> Option<String> {
    match serde_json::from_str::<Value>(line) {
        Ok(line) if line["level"] == "ERROR" => Some(message(&line)),
        Ok(_) => None,
        Err(_) => Some(line.to_owned()),
    }
}

fn message(line: &Value) -> String {
    line["message"].as_str().unwrap_or_default().to_owned()
}

/// The last messages of a log.
fn last_messages(log: &Path) -> String {
    const COUNT: usize = 5;
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).map_or_else(|_| line.to_owned(), |line| message(&line)))
        .collect();
    lines[lines.len().saturating_sub(COUNT)..].join("\n")
}
