//! Holds the core for a person: PostgreSQL, Kafka, chat-api, recurring-tasks and audit, until its standard input ends.
//!
//! `up FOLDER PORT keep|fresh|sweep`: what outlives it is in the folder and in two volumes of Docker. The services listen
//! on the nine ports from PORT on, or where the system likes for 0. `fresh` forgets what was; `sweep` starts nothing, and
//! removes what one that was killed has left.
//!
//! It ends with its standard input, so that it does not outlive whoever started it, however that one ends.

mod demo;
mod folder;
mod service;
mod storage;
mod tour;

use std::{env, io, net::TcpListener, panic, process::ExitCode, sync::Arc, time::Instant};

use anyhow::{Context as _, Result, bail};
use test_kit::{
    EnginePair, Wiring,
    containers::kept::Kept,
    core::{People, Ports, wiring::SERVICES},
    free_ports,
};
use tokio_util::sync::CancellationToken;

use self::{
    demo::Demo,
    folder::{Folder, Lock},
    service::Supervised,
};

/// Ports of the three services: routes for people, routes for services, metrics of each.
const PORTS: u16 = 9;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Keep,
    Fresh,
    Sweep,
}

#[tokio::main]
async fn main() -> ExitCode {
    // The kit panics when it cannot do its work, which is a test's best answer; a person wants the sentence alone.
    panic::set_hook(Box::new(|info| {
        eprintln!("error: {}", info.payload_as_str().unwrap_or("something is wrong"));
    }));
    match Box::pin(run()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let (folder, first_port, mode) = arguments().context("usage: up FOLDER PORT keep|fresh|sweep")?;
    let folder = Arc::new(Folder::open(folder.as_ref())?);
    let stop = stop_with_input();
    let Some(lock) = Lock::take(&folder, &stop).await? else {
        return Ok(());
    };
    let kept = folder.kept();
    folder.end_leftovers()?;
    kept.remove_containers().await;
    let ports = ports(first_port)?;
    if mode == Mode::Sweep {
        return Ok(());
    }
    if mode == Mode::Fresh {
        eprintln!("up: forgetting what was");
        folder.forget()?;
    }
    if !folder.has_data() {
        // An engine that was interrupted while it made its files would never start on them.
        kept.forget().await;
    }
    let outcome = Box::pin(hold(&folder, &kept, ports, &stop, &lock)).await;
    kept.remove_containers().await; // those whose start was interrupted, too
    eprintln!("up: stopped");
    outcome
}

/// The life of everything, from the first container to the last.
async fn hold(
    folder: &Arc<Folder>,
    kept: &Kept,
    ports: [Ports; 3],
    stop: &CancellationToken,
    lock: &Lock,
) -> Result<()> {
    let begin = Instant::now();
    eprintln!("up: starting PostgreSQL and Kafka, usually 10 s …");
    let Some(engines) = stop.run_until_cancelled(Box::pin(kept.start())).await else {
        return lock.is_ending();
    };
    folder.note_data()?;
    let mut services = Vec::new();
    let started = stop
        .run_until_cancelled(Box::pin(start(folder, &engines, ports, &mut services)))
        .await;
    if let Some(Ok(demo)) = &started {
        tour::print(&services, folder, demo, begin.elapsed());
        let keep_running = Box::pin(engines.keep_running(|said| eprintln!("up: {said}")));
        stop.run_until_cancelled(keep_running).await;
    }
    lock.is_ending()?;
    eprintln!("up: stopping …");
    Supervised::stop_all(services).await;
    engines.stop().await;
    folder.forget_processes()?;
    match started {
        Some(Err(error)) => Err(error),
        _ => Ok(()),
    }
}

/// Starts the services and gives a newcomer something to look at.
async fn start(
    folder: &Arc<Folder>,
    engines: &EnginePair,
    [chat_api, recurring_tasks, audit]: [Ports; 3],
    services: &mut Vec<Supervised>,
) -> Result<Demo> {
    let brokers = engines.kafka.address();
    storage::make_topics(&brokers).await?;
    let wiring = Wiring {
        database_url: storage::make_database(&engines.postgres.address()).await?,
        brokers,
        prefix: String::new(),
        people: People::BuiltInAccounts(folder.accounts_key()?),
        service_key: test_kit::keys::ed25519(),
        chat_api,
        more: vec![(
            catalogue::environment_variables::TASKFLOW_PUBLIC_URL.name,
            format!("http://127.0.0.1:{}", chat_api.http),
        )],
    };
    service::migrate(&wiring, folder).await?;
    eprintln!("up: starting {}", SERVICES.map(|it| it.app_id).join(", "));
    for (service, ports) in SERVICES.into_iter().zip([chat_api, recurring_tasks, audit]) {
        services.push(Supervised::start(service, &wiring, ports, folder)?);
    }
    for service in services.iter_mut() {
        service.becomes_ready().await?;
    }
    demo::make(chat_api.http).await
}

fn arguments() -> Option<(String, u16, Mode)> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, port, mode] = arguments.as_slice() else {
        return None;
    };
    let mode = match mode.as_str() {
        "keep" => Mode::Keep,
        "fresh" => Mode::Fresh,
        "sweep" => Mode::Sweep,
        _ => return None,
    };
    Some((folder.clone(), port.parse().ok()?, mode))
}

/// Cancelled when the standard input ends.
fn stop_with_input() -> CancellationToken {
    let stop = CancellationToken::new();
    let at_the_end = stop.clone().drop_guard();
    std::thread::spawn(move || {
        // An input that cannot be read has ended as well.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        drop(at_the_end);
    });
    stop
}

/// The ports of each service; an error names one that somebody else has.
fn ports(first: u16) -> Result<[Ports; 3]> {
    let mut ports: Vec<u16> = if first == 0 {
        free_ports::<{ PORTS as usize }>().into()
    } else {
        let last = first.checked_add(PORTS - 1).context("--port must be at most 65527")?;
        (first..=last).collect()
    };
    for port in &ports {
        if let Err(error) = TcpListener::bind(("127.0.0.1", *port)) {
            bail!("could not listen on port {port} of 127.0.0.1: {error}; `--port N` takes the nine ports from N on");
        }
    }
    let mut next = || Ports {
        http: ports.remove(0),
        internal: ports.remove(0),
        metrics: ports.remove(0),
    };
    Ok([next(), next(), next()])
}
