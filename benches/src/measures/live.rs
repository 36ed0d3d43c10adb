//! From the change of a task to the sockets of the person's clients; and what a connection costs in memory.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use catalogue::services::WEBSOCKET;
use futures::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Deserialize;
use serde_json::json;
use test_kit::{Service, core::Ports, wait_until};
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, interval, sleep_until},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use crate::{
    http::Connection,
    processes::resident_bytes,
    progress,
    report::{Goal, Section, number},
    scripts::create_request,
    stats::{milliseconds, percentile},
    world::{Chat, World, becomes_ready},
};

/// Clients of each person.
const EACH: usize = 10;
/// Clients while latency is measured.
const CLIENTS: usize = 1_000;
/// Clients while memory is measured.
const MANY: usize = 10_000;
/// Changes per second, each told to [`EACH`] clients.
const PER_SECOND: u64 = 50;
/// Connections that make the changes.
const WRITERS: u64 = 10;
const TIME: Duration = Duration::from_secs(40);
const QUICK_TIME: Duration = Duration::from_secs(8);
const GOAL_MILLISECONDS: f64 = 100.0;
const GOAL_KILOBYTES: f64 = 30.0;
const PATIENCE: Duration = Duration::from_mins(2);
/// Fewer than the replica lets in.
const ARRIVALS_EACH_SECOND: u64 = 800;

type Socket = WebSocketStream<TcpStream>;
type Delays = Arc<Mutex<Vec<Duration>>>;

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let chat = world.chat().await?;
    let allowed = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: allowed.maximum,
        ..allowed
    };
    setrlimit(Resource::Nofile, raised).context("could not raise the limit of open files")?;
    let (live, address) = start(world, &chat).await;
    let time = world.pick(TIME, QUICK_TIME);
    let tokens = world.tokens(MANY / EACH);

    progress(&format!(
        "live: {CLIENTS} clients, {PER_SECOND} changes a second for {} s",
        time.as_secs()
    ));
    let delays = Delays::default();
    let mut listening = JoinSet::new();
    for socket in connect(address, &tokens[..CLIENTS / EACH], CLIENTS).await? {
        listening.spawn(listen(socket, Arc::clone(&delays)));
    }
    let told = change(chat.address, &tokens[..CLIENTS / EACH], time).await? * EACH as u64;
    wait_until("every change is told", PATIENCE, async || {
        let heard = lock(&delays).len() as u64;
        if heard == told {
            Ok(())
        } else {
            Err(format!("{heard} of {told}"))
        }
    })
    .await;
    listening.shutdown().await;
    let mut delays = std::mem::take(&mut *lock(&delays));
    delays.sort_unstable();

    // A process of its own: what the first one has in memory is of no connection.
    drop(live);
    let (live, address) = start(world, &chat).await;
    progress(&format!("live: memory of {MANY} connections"));
    let before = resident_bytes(live.process_id())?;
    let sockets = connect(address, &tokens, MANY).await?;
    let with_all = resident_bytes(live.process_id())?;
    drop(sockets);
    let kilobytes = number_of(with_all.saturating_sub(before)) / number_of(MANY as u64) / 1024.0;
    Ok(section(&delays, time, kilobytes))
}

/// One replica, ready.
async fn start(world: &World, chat: &Chat) -> (Service, SocketAddr) {
    let wiring = world.wiring(&chat.database, &chat.topics);
    let mut variables = wiring.variables(&WEBSOCKET, Ports::default());
    for (name, value) in [
        ("TASKFLOW_POD_NAME", "websocket-0"),
        ("TASKFLOW_MAX_CLIENTS", "12000"),
        ("TASKFLOW_LOG", "warn,service_kit=info"),
    ] {
        variables.insert(name, value.to_owned());
    }
    let mut process = Service::start(&world.programs.join(WEBSOCKET.app_id), &["serve"], variables);
    let address = process.address("public").await;
    becomes_ready(address).await;
    (process, address)
}

/// So many clients, the same number of each person, welcomed.
async fn connect(address: SocketAddr, tokens: &[String], count: usize) -> Result<Vec<Socket>> {
    let mut pace = interval(Duration::from_secs(1) / u32::try_from(ARRIVALS_EACH_SECOND)?);
    let mut arriving = JoinSet::new();
    for token in tokens.iter().cycle().take(count) {
        pace.tick().await;
        arriving.spawn(arrive(address, token.clone()));
    }
    let mut sockets = Vec::with_capacity(count);
    while let Some(socket) = arriving.join_next().await {
        sockets.push(socket??);
    }
    Ok(sockets)
}

async fn arrive(address: SocketAddr, token: String) -> Result<Socket> {
    // Ten thousand clients share this process: their buffers are as small as those that are measured.
    let small = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    let stream = TcpStream::connect(address).await?;
    let (mut socket, _) = client_async_with_config(format!("ws://{address}/ws"), stream, Some(small)).await?;
    let hello = json!({"type": "hello", "token": token});
    socket.send(Message::text(hello.to_string())).await?;
    let welcome = socket.next().await.context("a welcome")??;
    ensure!(
        welcome.to_text()?.contains("\"welcome\""),
        "instead of a welcome came {welcome}"
    );
    Ok(socket)
}

/// Notes how old each change is when it arrives.
async fn listen(mut socket: Socket, delays: Delays) {
    #[derive(Deserialize)]
    struct Change {
        time: Timestamp,
    }
    while let Some(Ok(message)) = socket.next().await {
        let arrived = Timestamp::now();
        let Ok(text) = message.to_text() else { continue };
        if let Some(change) = text
            .contains(r#""type":"change""#)
            .then(|| serde_json::from_str::<Change>(text))
        {
            let delay = change.ok().map(|it| arrived.duration_since(it.time));
            lock(&delays).extend(delay.and_then(|it| Duration::try_from(it).ok()));
        }
    }
}

/// Makes changes at the rate, by all persons in turns; says how many.
async fn change(address: SocketAddr, tokens: &[String], time: Duration) -> Result<u64> {
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for place in 0..WRITERS {
        let tokens: Vec<String> = tokens.to_vec();
        writers.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut sent = 0;
            loop {
                let nth = sent * WRITERS + place;
                let planned = Duration::from_micros(nth * 1_000_000 / PER_SECOND);
                if planned >= time {
                    return anyhow::Ok(sent);
                }
                sleep_until(begun + planned).await;
                let token = &tokens[usize::try_from(nth)? % tokens.len()];
                let answer = connection.send(&create_request(token, "Water the plants")).await?;
                ensure!(answer.status == 201, "{}", answer.status);
                sent += 1;
            }
        });
    }
    let mut sent = 0;
    while let Some(writer) = writers.join_next().await {
        sent += writer??;
    }
    Ok(sent)
}

fn section(delays: &[Duration], time: Duration, kilobytes: f64) -> Section {
    let parts = [0.5, 0.9, 0.99, 0.999, 1.0];
    let values = parts.map(|part| milliseconds(percentile(delays, part)));
    let row = std::iter::once("change → socket".to_owned())
        .chain(values.map(number))
        .collect();
    Section {
        title: "From the commit to a second browser".to_owned(),
        method: format!(
            "{CLIENTS} websockets of {} persons at one replica; {PER_SECOND} tasks a second are created through chat-api for \
             {} s, each told to the {EACH} clients of its person: {} messages. A client notes when a change arrives; the clock \
             starts with the time in the event, which chat-api takes before it writes and commits. Then {MANY} websockets of \
             {} persons at a new replica, idle: resident memory of its process, less what it had before, for each of them is \
             **{} kB**. The kernel's part is not in it.",
            CLIENTS / EACH,
            time.as_secs(),
            delays.len(),
            MANY / EACH,
            number(kilobytes),
        ),
        columns: ["", "p50, ms", "p90", "p99", "p99.9", "most"].map(str::to_owned).into(),
        rows: vec![row],
        goals: vec![
            Goal::at_most("change → a second browser, p99", GOAL_MILLISECONDS, values[2], " ms"),
            Goal::at_most("memory of a live connection", GOAL_KILOBYTES, kilobytes, " kB"),
        ],
        data: json!({"milliseconds": values, "kilobytes_per_connection": kilobytes}),
        ..Section::default()
    }
}

fn lock(delays: &Delays) -> std::sync::MutexGuard<'_, Vec<Duration>> {
    delays.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::cast_precision_loss, reason = "no process has 2^52 bytes")]
fn number_of(count: u64) -> f64 {
    count as f64
}
