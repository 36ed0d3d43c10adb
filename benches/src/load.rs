//! Clients that send one request after another: each waits for its answer, so their number is the load.

use std::{
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use tokio::task::JoinSet;

use crate::http::Connection;

/// What one client does.
pub(crate) trait Script: Send + 'static {
    /// The next request; `None` when there is nothing more to do.
    fn next(&mut self) -> Option<Vec<u8>>;
    /// Looks at the answer; an error ends the measurement.
    fn done(&mut self, status: u16, body: &[u8]) -> Result<()>;
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) time: Duration,
    /// Sorted.
    pub(crate) latencies: Vec<Duration>,
}

impl Load {
    #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.time.as_secs_f64()
    }
}

/// Runs the scripts, each on a connection of its own, until `time` is over or one of them has nothing more to do. The
/// scripts come back as they are then. On a thread of its own: its clients need no more than one core, and moving them
/// between cores would cost both.
pub(crate) async fn run<S: Script>(address: SocketAddr, scripts: Vec<S>, time: Duration) -> Result<(Load, Vec<S>)> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = runtime
            .context("could not start the clients")
            .and_then(|runtime| runtime.block_on(run_here(address, scripts, time)));
        // Nobody waits any more when the run was interrupted.
        drop(sender.send(outcome));
    });
    receiver.await.context("the clients ended early")?
}

async fn run_here<S: Script>(address: SocketAddr, scripts: Vec<S>, time: Duration) -> Result<(Load, Vec<S>)> {
    let mut clients = JoinSet::new();
    let mut connections = Vec::new();
    for script in scripts {
        connections.push((Connection::open(address).await?, script));
    }
    let begun = Instant::now();
    let end = begun + time;
    for (connection, script) in connections {
        clients.spawn(one_client(connection, script, end));
    }
    let mut load = Load {
        requests: 0,
        time: Duration::ZERO,
        latencies: Vec::new(),
    };
    let mut scripts = Vec::new();
    while let Some(client) = clients.join_next().await {
        let (script, latencies) = client??;
        load.requests += latencies.len() as u64;
        load.latencies.extend(latencies);
        scripts.push(script);
    }
    load.time = begun.elapsed();
    load.latencies.sort_unstable();
    if load.requests == 0 {
        bail!("no request was answered");
    }
    Ok((load, scripts))
}

async fn one_client<S: Script>(mut connection: Connection, mut script: S, end: Instant) -> Result<(S, Vec<Duration>)> {
    let mut latencies = Vec::new();
    let mut begun = Instant::now();
    while begun < end {
        let Some(request) = script.next() else { break };
        let answer = connection.send(&request).await?;
        script.done(answer.status, answer.body)?;
        let now = Instant::now();
        latencies.push(now - begun);
        begun = now;
    }
    Ok((script, latencies))
}
