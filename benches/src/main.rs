//! Measures the task core: services as they are released, on engines of their own, all on this machine.
//!
//! `cargo xtask bench core` builds what it needs and runs it. A number depends on its machine, so what counts are ratios
//! within one run, and each section of the report says where it was measured.

mod http;
mod load;
mod measures;
mod pgbench;
mod plot;
mod processes;
mod reference;
mod render;
mod report;
mod scripts;
mod seed;
mod stats;
mod world;

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use jiff::Timestamp;
use test_kit::{EnginePair, Issuer, containers};
use tokio::runtime::Runtime;

use crate::{
    measures::Measure,
    report::{Report, Section, Stamp},
    world::World,
};

#[derive(Parser)]
#[command(name = "core-bench", about = "Measures the task core")]
struct Arguments {
    /// Measure only this (can be repeated)
    #[arg(long, value_enum)]
    only: Vec<Measure>,
    /// Be fast instead of exact; the documents stay as they are
    #[arg(long)]
    quick: bool,
    /// Folder of the release programs of the services
    #[arg(long)]
    programs: PathBuf,
    /// Python with the packages of the reference
    #[arg(long)]
    python: PathBuf,
    /// File that keeps what was measured
    #[arg(long)]
    results: PathBuf,
    /// Folder of benchmarks.md
    #[arg(long)]
    docs: PathBuf,
    /// What is measured, as git calls it
    #[arg(long)]
    commit: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Runtime::new().context("could not start").and_then(|runtime| {
        let outcome = runtime.block_on(async {
            tokio::select! {
                outcome = run(&arguments) => outcome,
                interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into).and_then(|()| bail!("interrupted")),
            }
        });
        // What is left of containers, also those of a run that was killed.
        runtime.block_on(containers::remove_orphans());
        // Clients that nobody waits for any more.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let chosen = Measure::ALL
        .into_iter()
        .filter(|it| arguments.only.is_empty() || arguments.only.contains(it));
    let mut report = Report::read(&arguments.results)?;
    progress("starting PostgreSQL and Kafka");
    let engines = EnginePair::start().await;
    let world = World {
        postgres: engines.postgres.direct_address().await,
        engines,
        issuer: Issuer::start().await,
        programs: arguments.programs.clone(),
        python: arguments.python.clone(),
        quick: arguments.quick,
    };
    let stamp = stamp(&world, arguments).await?;
    let mut failed = Vec::new();
    for measure in chosen {
        match measure.run(&world).await {
            Ok(section) => {
                let section = Section {
                    stamp: stamp.clone(),
                    ..section
                };
                println!("{}", render::section(&section, None));
                report.sections.insert(measure.name().to_owned(), section);
                // After each: a run that is interrupted has not been for nothing.
                report.write(&arguments.results)?;
            }
            Err(error) => {
                eprintln!("{}: {error:#}", measure.name());
                failed.push(measure.name());
            }
        }
    }
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    if !arguments.quick {
        write_documents(arguments, &report)?;
    }
    Ok(())
}

fn write_documents(arguments: &Arguments, report: &Report) -> Result<()> {
    let plots = arguments.docs.join("benchmarks");
    fs::create_dir_all(&plots)?;
    for section in report.sections.values().filter(|section| !section.stamp.quick) {
        for plot in &section.plots {
            fs::write(plots.join(format!("{}.svg", plot.name)), plot::draw(plot))?;
        }
    }
    fs::write(arguments.docs.join("benchmarks.md"), render::document(report))?;
    Ok(())
}

/// Tells the person who waits.
pub(crate) fn progress(what: &str) {
    eprintln!("bench: {what}");
}

async fn stamp(world: &World, arguments: &Arguments) -> Result<Stamp> {
    let database = world.empty_database().await;
    let postgres: String = sqlx::query_scalar("show server_version")
        .fetch_one(&database.pool().await)
        .await?;
    let kafka = include_str!("../../tools/images/kafka/tag").trim();
    let python = said(Command::new(&arguments.python).arg("--version"))?;
    let rust = said(Command::new("rustc").arg("--version"))?;
    Ok(Stamp {
        machine: machine(),
        versions: format!(
            "PostgreSQL {}, {kafka}, {python}, {rust}",
            postgres.split_whitespace().next().unwrap_or_default()
        ),
        commit: arguments.commit.clone(),
        date: Timestamp::now().strftime("%Y-%m-%d").to_string(),
        quick: arguments.quick,
    })
}

fn said(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("could not start {command:?}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (processors, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let memory = memory.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    format!(
        "{model}, {cores} cores, {} GiB, Linux {}",
        memory.unwrap_or_default().div_ceil(1 << 20),
        read("/proc/sys/kernel/osrelease").trim()
    )
}
