//! From the change of a task to the handler of a consumer, while changes come at a fixed rate whatever happens.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use catalogue::{Catalogue, services::RECURRING_TASKS};
use event_bus::{
    Delivery, Handler, Outcome,
    kafka::{ConsumerSettings, KafkaSettings, Security, consume},
};
use events::Body;
use jiff::Timestamp;
use metrics::Metrics;
use serde_json::json;
use test_kit::wait_until;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    http::Connection,
    progress,
    report::{Bar, Goal, Plot, Section, number},
    scripts::create_request,
    stats::{Spread, milliseconds, percentile},
    world::World,
};

const PER_SECOND: u64 = 500;
const WARM_UP: Duration = Duration::from_secs(10);
const TIME: Duration = Duration::from_secs(40);
/// Connections that share the rate: far more than are ever busy at once.
const CONNECTIONS: u64 = 50;
const GOAL_MILLISECONDS: f64 = 50.0;
const PATIENCE: Duration = Duration::from_secs(30);

/// Notes when events arrive.
#[derive(Default)]
struct Arrivals(Mutex<Vec<Arrival>>);

#[derive(Clone, Copy)]
struct Arrival {
    /// When the request should have been sent.
    planned: Timestamp,
    /// The time in the event: taken by the service before it writes and commits.
    changed: Timestamp,
    arrived: Timestamp,
}

impl Arrivals {
    fn all(&self) -> Vec<Arrival> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

impl Handler for Arrivals {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let arrived = Timestamp::now();
        let Body::Task(task) = &delivery.event.body else {
            return Outcome::Done { duplicate: false };
        };
        let planned = task
            .snapshot
            .title
            .as_str()
            .rsplit(' ')
            .next()
            .and_then(|it| it.parse().ok());
        let planned = planned
            .and_then(|it| Timestamp::from_microsecond(it).ok())
            .unwrap_or(arrived);
        let changed = delivery.event.time;
        let arrival = Arrival {
            planned,
            changed,
            arrived,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
        Outcome::Done { duplicate: false }
    }

    async fn available(&self) -> bool {
        true
    }
}

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let (warm_up, time) = world.pick((WARM_UP, TIME), (Duration::from_secs(3), Duration::from_secs(6)));
    let chat = world.chat().await?;
    let arrivals = Arc::new(Arrivals::default());
    let stop = CancellationToken::new();
    let kafka = KafkaSettings {
        brokers: chat.topics.brokers().to_owned(),
        security: Security::Plaintext,
        prefix: chat.topics.prefix().to_owned(),
    };
    let consumer = tokio::spawn({
        let (arrivals, stop) = (Arc::clone(&arrivals), stop.clone());
        async move {
            let metrics = Metrics::new(&Catalogue::taskflow(), RECURRING_TASKS.app_id);
            let settings = ConsumerSettings::new(kafka, "benchmark-0");
            consume(&RECURRING_TASKS, settings, arrivals, &metrics, stop).await
        }
    });
    progress(&format!(
        "latency: {PER_SECOND} events a second for {} s",
        (warm_up + time).as_secs()
    ));
    let begun = Timestamp::now();
    let sent = open_loop(
        chat.address,
        world.tokens(usize::try_from(CONNECTIONS)?),
        warm_up + time,
    )
    .await?;
    wait_until("every event has arrived", PATIENCE, async || {
        let count = arrivals.count();
        if count >= sent {
            Ok(())
        } else {
            Err(format!("{count} of {sent}"))
        }
    })
    .await;
    stop.cancel();
    consumer.await??;
    let measured_from = begun + warm_up;
    let arrivals: Vec<_> = arrivals
        .all()
        .into_iter()
        .filter(|it| it.planned >= measured_from)
        .collect();
    ensure!(!arrivals.is_empty(), "something arrived after the warm-up");
    Ok(section(&arrivals, time))
}

/// Creates tasks at the rate, whether or not the answers keep up; says how many.
async fn open_loop(address: SocketAddr, tokens: Vec<String>, time: Duration) -> Result<u64> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = runtime.context("could not start the clients").and_then(|runtime| {
            runtime.block_on(async {
                let (begun, wall) = (Instant::now(), Timestamp::now());
                let mut clients = JoinSet::new();
                for (place, token) in (0u64..).zip(tokens) {
                    clients.spawn(one_client(address, token, place, begun, wall, time));
                }
                let mut sent = 0;
                while let Some(client) = clients.join_next().await {
                    sent += client??;
                }
                Ok(sent)
            })
        });
        drop(sender.send(outcome));
    });
    receiver.await.context("the clients ended early")?
}

async fn one_client(
    address: SocketAddr,
    token: String,
    place: u64,
    begun: Instant,
    wall: Timestamp,
    time: Duration,
) -> Result<u64> {
    let mut connection = Connection::open(address).await?;
    let mut sent = 0;
    loop {
        let planned = Duration::from_micros((sent * CONNECTIONS + place) * 1_000_000 / PER_SECOND);
        if planned >= time {
            return Ok(sent);
        }
        sleep_until(begun + planned).await;
        let title = format!("Water the plants {}", (wall + planned).as_microsecond());
        let answer = connection.send(&create_request(&token, &title)).await?;
        ensure!(
            answer.status == 201,
            "{}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        sent += 1;
    }
}

fn section(arrivals: &[Arrival], time: Duration) -> Section {
    let sorted = |from: fn(&Arrival) -> Timestamp| {
        let mut all: Vec<Duration> = arrivals
            .iter()
            .map(|it| Duration::try_from(it.arrived.duration_since(from(it))).unwrap_or_default())
            .collect();
        all.sort_unstable();
        all
    };
    let rows = [
        ("change → consumed", sorted(|it| it.changed)),
        ("request planned → consumed", sorted(|it| it.planned)),
    ];
    let parts = [0.5, 0.9, 0.99, 0.999, 1.0];
    let of = |all: &[Duration], part| milliseconds(percentile(all, part));
    let exactly = |value| Spread::of([value]);
    Section {
        title: "From the commit to the consumer".to_owned(),
        method: format!(
            "{PER_SECOND} tasks a second are created over {CONNECTIONS} connections, each at its planned time whether or not \
             the service keeps up, for {} s after a warm-up: {} events. A consumer of the topic notes when its handler is \
             called. The clock starts with the time in the event, which the service takes before it writes and commits: the \
             commit is inside. The second row starts when the request should have been sent.",
            time.as_secs(),
            arrivals.len()
        ),
        columns: ["", "p50, ms", "p90", "p99", "p99.9", "most"].map(str::to_owned).into(),
        rows: rows
            .iter()
            .map(|(name, all)| {
                let values = parts.iter().map(|part| number(of(all, *part)));
                std::iter::once((*name).to_owned()).chain(values).collect()
            })
            .collect(),
        goals: vec![Goal::at_most(
            "change → consumed, p99",
            GOAL_MILLISECONDS,
            of(&rows[0].1, 0.99),
            " ms",
        )],
        plots: vec![Plot {
            name: "latency".to_owned(),
            title: format!("From the change to its consumer, {PER_SECOND} events a second"),
            unit: "milliseconds".to_owned(),
            bars: ["p50", "p90", "p99", "p99.9", "most"]
                .iter()
                .zip(parts)
                .map(|(name, part)| Bar::new(*name, exactly(of(&rows[0].1, part))))
                .collect(),
            goal: Some(GOAL_MILLISECONDS),
            logarithmic: true,
        }],
        data: json!(
            rows.iter()
                .map(|(name, all)| json!({
                    "from": name, "ms": parts.map(|part| of(all, part)),
                }))
                .collect::<Vec<_>>()
        ),
        ..Section::default()
    }
}
