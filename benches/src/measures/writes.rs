//! Creating and completing tasks: chat-api, PostgreSQL alone with the same statements, and the reference, in turns.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use sqlx::PgPool;
use test_kit::Database;

use crate::{
    load, pgbench,
    processes::{cpu_time, engine_cpu_time},
    progress,
    reference::Reference,
    report::{Bar, Goal, Plot, Section, number, spread},
    scripts::{Complete, Create},
    stats::{Spread, milliseconds, percentile},
    world::{CLIENTS, Chat, World},
};

const ROUNDS: usize = 3;
const TIME: Duration = Duration::from_secs(8);
const SHARE_OF_PGBENCH: f64 = 0.4;
const TIMES_REFERENCE: f64 = 3.0;

/// One of the two things that are done.
#[derive(Default)]
struct Done {
    pgbench: Vec<f64>,
    chat: Vec<f64>,
    reference: Vec<f64>,
    /// Milliseconds of a core per 1,000 requests: of the service, and of PostgreSQL for it.
    service_cpu: Vec<f64>,
    postgres_cpu: Vec<f64>,
    /// Milliseconds.
    p50: Vec<f64>,
    p99: Vec<f64>,
}

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let (rounds, time) = world.pick((ROUNDS, TIME), (1, Duration::from_secs(3)));
    let chat = world.chat().await?;
    let reference = Reference::start(world).await?;
    let bare = world.chat_database().await?;
    let pools = [
        bare.pool().await,
        chat.database.pool().await,
        reference.database.pool().await,
    ];
    let (mut created, mut completed) = (Done::default(), Done::default());
    // One that is not counted: caches, plans, connections.
    for round in 0..=rounds {
        progress(&format!(
            "writes: {}",
            if round == 0 {
                "warm-up".to_owned()
            } else {
                format!("round {round} of {rounds}")
            }
        ));
        let (mut now_created, mut now_completed) = (Done::default(), Done::default());
        let time = if round == 0 { Duration::from_secs(2) } else { time };
        with_pgbench(world, &bare, &pools[0], time, [&mut now_created, &mut now_completed]).await?;
        with_chat(world, &chat, &pools[1], time, [&mut now_created, &mut now_completed]).await?;
        with_reference(
            world,
            &reference,
            &pools[2],
            time,
            [&mut now_created, &mut now_completed],
        )
        .await?;
        if round > 0 {
            created.add(now_created);
            completed.add(now_completed);
        }
    }
    reference.stop().await;
    Ok(section(&created, &completed, rounds, time))
}

impl Done {
    fn add(&mut self, other: Self) {
        self.pgbench.extend(other.pgbench);
        self.chat.extend(other.chat);
        self.reference.extend(other.reference);
        self.service_cpu.extend(other.service_cpu);
        self.postgres_cpu.extend(other.postgres_cpu);
        self.p50.extend(other.p50);
        self.p99.extend(other.p99);
    }

    /// Of each round the ratio: what the machine does at that moment concerns both.
    fn share_of_pgbench(&self) -> Spread {
        ratio(&self.chat, &self.pgbench)
    }

    fn times_reference(&self) -> Spread {
        ratio(&self.chat, &self.reference)
    }

    fn cpu_of_postgres(&self) -> Spread {
        ratio(&self.service_cpu, &self.postgres_cpu)
    }
}

fn ratio(over: &[f64], under: &[f64]) -> Spread {
    Spread::of(over.iter().zip(under).map(|(over, under)| over / under))
}

async fn with_pgbench(
    world: &World,
    database: &Database,
    pool: &PgPool,
    time: Duration,
    [created, completed]: [&mut Done; 2],
) -> Result<()> {
    let rate = pgbench::run(world, database, pool, pgbench::Script::Create, time).await?;
    created.pgbench.push(rate);
    let rate = pgbench::run(world, database, pool, pgbench::Script::Complete, time).await?;
    completed.pgbench.push(rate);
    Ok(())
}

async fn with_chat(
    world: &World,
    chat: &Chat,
    pool: &PgPool,
    time: Duration,
    [created, completed]: [&mut Done; 2],
) -> Result<()> {
    let scripts = world.tokens(CLIENTS).into_iter().map(Create::new).collect();
    let mut scripts = counted(world, chat, pool, scripts, time, created).await?;
    let scripts = scripts.iter_mut().map(Complete::after).collect();
    counted(world, chat, pool, scripts, time, completed).await?;
    Ok(())
}

/// Runs scripts against chat-api, and notes what they and everything behind them took.
async fn counted<S: load::Script>(
    world: &World,
    chat: &Chat,
    pool: &PgPool,
    scripts: Vec<S>,
    time: Duration,
    done: &mut Done,
) -> Result<Vec<S>> {
    sqlx::query("checkpoint").execute(pool).await?;
    let process = chat.process.process_id();
    let before = (cpu_time(process)?, engine_cpu_time(&world.engines.postgres).await?);
    let (load, scripts) = load::run(chat.address, scripts, time).await?;
    let after = (cpu_time(process)?, engine_cpu_time(&world.engines.postgres).await?);
    #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
    let per_thousand = |time: Duration| milliseconds(time) * 1000.0 / load.requests as f64;
    done.service_cpu.push(per_thousand(after.0.saturating_sub(before.0)));
    done.postgres_cpu.push(per_thousand(after.1.saturating_sub(before.1)));
    done.chat.push(load.per_second());
    done.p50.push(milliseconds(percentile(&load.latencies, 0.5)));
    done.p99.push(milliseconds(percentile(&load.latencies, 0.99)));
    Ok(scripts)
}

async fn with_reference(
    world: &World,
    reference: &Reference,
    pool: &PgPool,
    time: Duration,
    [created, completed]: [&mut Done; 2],
) -> Result<()> {
    sqlx::query("checkpoint").execute(pool).await?;
    let scripts = world.tokens(CLIENTS).into_iter().map(Create::new).collect();
    let (load, mut scripts) = load::run(reference.address, scripts, time).await?;
    created.reference.push(load.per_second());
    sqlx::query("checkpoint").execute(pool).await?;
    let scripts = scripts.iter_mut().map(Complete::after).collect();
    let (load, _) = load::run(reference.address, scripts, time).await?;
    completed.reference.push(load.per_second());
    // Nobody publishes its events.
    sqlx::query("truncate chat.outbox").execute(pool).await?;
    Ok(())
}

fn section(created: &Done, completed: &Done, rounds: usize, time: Duration) -> Section {
    let both = [("create", created), ("complete", completed)];
    let row = |(name, done): &(&str, &Done)| {
        let spread_of = |values: &[f64]| spread(&Spread::of(values.iter().copied()));
        vec![
            (*name).to_owned(),
            spread_of(&done.pgbench),
            spread_of(&done.chat),
            spread_of(&done.reference),
            spread(&done.share_of_pgbench()),
            spread(&done.times_reference()),
            format!(
                "{} / {}",
                number(Spread::of(done.service_cpu.iter().copied()).median),
                number(Spread::of(done.postgres_cpu.iter().copied()).median)
            ),
            format!(
                "{} / {}",
                number(Spread::of(done.p50.iter().copied()).median),
                number(Spread::of(done.p99.iter().copied()).median)
            ),
        ]
    };
    let columns = [
        "request",
        "pgbench, 1/s",
        "chat-api, 1/s",
        "FastAPI, 1/s",
        "of pgbench",
        "times FastAPI",
        "CPU per 1,000: chat-api / PostgreSQL, ms",
        "p50 / p99, ms",
    ];
    let goals = both.iter().flat_map(|(name, done)| {
        [
            Goal::at_least(
                format!("{name}: share of pgbench"),
                SHARE_OF_PGBENCH,
                done.share_of_pgbench().median,
                "",
            ),
            Goal::at_most(
                format!("{name}: CPU of chat-api over PostgreSQL's"),
                1.0,
                done.cpu_of_postgres().median,
                "",
            ),
            Goal::at_least(
                format!("{name}: times FastAPI"),
                TIMES_REFERENCE,
                done.times_reference().median,
                " ×",
            ),
        ]
    });
    Section {
        title: "Writes".to_owned(),
        method: format!(
            "{CLIENTS} clients, each a person of its own, one request after another on an open connection; fsync on; pools of \
             {CLIENTS} connections. {rounds} rounds of {} s each after a warm-up, in turns: pgbench (`--protocol=prepared`) with \
             the statements of chat-api in one transaction, chat-api with its relay and Kafka, FastAPI with two workers. \
             Ratios are taken within a round. Everything, clients included, shares the cores.",
            time.as_secs()
        ),
        columns: columns.map(str::to_owned).into(),
        rows: both.iter().map(row).collect(),
        goals: goals.collect(),
        plots: both.iter().map(|(name, done)| plot(name, done)).collect(),
        data: json!(both.map(|(name, done)| json!({
            "request": name,
            "pgbench_per_second": done.pgbench,
            "chat_api_per_second": done.chat,
            "fastapi_per_second": done.reference,
            "chat_api_cpu_ms_per_1000": done.service_cpu,
            "postgres_cpu_ms_per_1000": done.postgres_cpu,
            "p50_ms": done.p50,
            "p99_ms": done.p99,
        }))),
        ..Section::default()
    }
}

fn plot(name: &str, done: &Done) -> Plot {
    let bar = |label: &str, values: &[f64]| Bar::new(label, Spread::of(values.iter().copied()));
    let pgbench = Spread::of(done.pgbench.iter().copied()).median;
    Plot {
        name: format!("writes-{name}"),
        title: format!("{name}, {CLIENTS} clients, fsync on"),
        unit: "requests per second".to_owned(),
        bars: vec![
            bar("pgbench, same statements", &done.pgbench),
            bar("chat-api", &done.chat),
            bar("FastAPI + SQLModel", &done.reference),
        ],
        goal: Some(pgbench * SHARE_OF_PGBENCH),
        logarithmic: false,
    }
}
