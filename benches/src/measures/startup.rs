//! From exec to ready, with everything there that the service needs.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use catalogue::Service as Definition;
use serde_json::json;
use test_kit::{
    Database, Service, Topics,
    core::{Core, Ports, Wiring, wiring::SERVICES},
    free_port,
};
use tokio::time::sleep;

use crate::{
    progress,
    report::{Bar, Goal, Plot, Section, number},
    stats::{Spread, milliseconds},
    world::{World, is_ready},
};

const RUNS: usize = 20;
const GOAL_MILLISECONDS: f64 = 200.0;
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let runs = world.pick(RUNS, 3);
    let (database, topics) = (world.empty_database().await, world.topics().await);
    // Its migrations, and a chat-api that recurring-tasks can find.
    let core = Core::start(world.wiring(&database, &topics), &world.programs).await;
    let mut all = Vec::new();
    for service in SERVICES {
        progress(&format!("startup: {}", service.app_id));
        let mut times = Vec::new();
        for run in 0..=runs {
            let time = start(world, service, &database, &topics, &core.wiring).await?;
            if run > 0 {
                times.push(milliseconds(time));
            }
        }
        all.push((service.app_id, times));
    }
    Ok(section(&all, runs))
}

async fn start(
    world: &World,
    service: &'static Definition,
    database: &Database,
    topics: &Topics,
    running: &Wiring,
) -> Result<Duration> {
    let mut wiring = world.wiring(database, topics);
    wiring.chat_api = running.chat_api;
    wiring.service_key = running.service_key.clone();
    let ports = Ports {
        http: free_port(),
        ..Ports::default()
    };
    let address = SocketAddr::from(([127, 0, 0, 1], ports.http));
    let (program, variables) = (world.programs.join(service.app_id), wiring.variables(service, ports));
    let begun = Instant::now();
    let mut process = Service::start(&program, &["serve"], variables);
    while let Err(last) = is_ready(address).await {
        ensure!(begun.elapsed() < PATIENCE, "{} is not ready: {last}", service.app_id);
        sleep(Duration::from_millis(1)).await;
    }
    let time = begun.elapsed();
    process.terminate();
    process.exit(PATIENCE).await;
    Ok(time)
}

fn section(all: &[(&str, Vec<f64>)], runs: usize) -> Section {
    let of = |times: &[f64]| Spread::of(times.iter().copied());
    Section {
        title: "Start".to_owned(),
        method: format!(
            "From exec until `/ready` answers 200, asked every millisecond, with PostgreSQL, Kafka, the issuer of tokens and \
             another replica of the core running: {runs} runs of each service after one that is not counted."
        ),
        columns: ["service", "median, ms", "min", "max"].map(str::to_owned).into(),
        rows: all
            .iter()
            .map(|(name, times)| {
                let Spread { median, min, max } = of(times);
                vec![(*name).to_owned(), number(median), number(min), number(max)]
            })
            .collect(),
        goals: all
            .iter()
            .map(|(name, times)| {
                Goal::at_most(
                    format!("{name}: exec to ready"),
                    GOAL_MILLISECONDS,
                    of(times).median,
                    " ms",
                )
            })
            .collect(),
        plots: vec![Plot {
            name: "startup".to_owned(),
            title: "From exec to ready".to_owned(),
            unit: "milliseconds".to_owned(),
            bars: all.iter().map(|(name, times)| Bar::new(*name, of(times))).collect(),
            goal: Some(GOAL_MILLISECONDS),
            logarithmic: false,
        }],
        data: json!(
            all.iter()
                .map(|(name, times)| json!({"service": name, "ms": times}))
                .collect::<Vec<_>>()
        ),
        ..Section::default()
    }
}
