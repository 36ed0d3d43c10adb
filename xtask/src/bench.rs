//! `cargo xtask bench`: measurements on a release build. Never part of the tests: a number depends on its machine.

mod core;
mod measure;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use snapshot_tests::environments;

use self::measure::{Measurement, measure};
use crate::{commands, workspace};

const RUNS: usize = 30;
/// The objects of one environment that the first goal speaks of.
const GOAL_OBJECTS: usize = 360;
const GOAL_MILLISECONDS_FOR_OBJECTS: f64 = 20.0;
const GOAL_MILLISECONDS_FOR_ALL: f64 = 60.0;
const GOAL_MEGABYTES_FOR_ALL: f64 = 60.0;

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum Subject {
    /// `gen check`, from process start to files compared
    Gen,
    /// The task core beside pgbench and FastAPI: 25 minutes; writes docs/benchmarks.md
    Core(core::Core),
    /// Live updates alone: from the change to a second browser, and the memory of a connection
    Live(core::Live),
}

pub(crate) fn run(subject: &Subject) -> Result<()> {
    match subject {
        Subject::Gen => bench_gen(),
        Subject::Core(core) => core::run(core),
        Subject::Live(live) => core::run_live(live),
    }
}

fn bench_gen() -> Result<()> {
    let root = workspace::root();
    commands::run(workspace::cargo().args(["build", "--quiet", "--release", "--package", "gen"]))?;
    let program = release_folder()?.join("gen");
    let environments = environments::all(&root)?;

    println!(
        "gen check, {RUNS} runs each after one that warms the page cache; {}",
        machine()
    );
    println!(
        "{:<12} {:>8} {:>9} {:>9} {:>9} {:>9} {:>12}  goal",
        "what", "objects", "min ms", "median", "p95", "max MB", "objects/s"
    );
    let mut all_objects = 0;
    for environment in &environments {
        let objects = count_objects(&environment.folder)?;
        all_objects += objects;
        let command = || check(&program, &root, Some(&environment.name));
        let measurement = measure(RUNS, command)?;
        // A smaller environment has the same goal: starting the process does not scale.
        #[expect(clippy::cast_precision_loss, reason = "a few hundred objects")]
        let size = objects.max(GOAL_OBJECTS) as f64 / GOAL_OBJECTS as f64;
        let goal = GOAL_MILLISECONDS_FOR_OBJECTS * size;
        let verdict = verdict(&[("ms", measurement.median_milliseconds(), goal)]);
        print_row(&environment.name, objects, &measurement, &verdict);
    }
    let measurement = measure(RUNS, || check(&program, &root, None))?;
    let verdict = verdict(&[
        ("ms", measurement.median_milliseconds(), GOAL_MILLISECONDS_FOR_ALL),
        ("MB", measurement.max_megabytes(), GOAL_MEGABYTES_FOR_ALL),
    ]);
    print_row("all", all_objects, &measurement, &verdict);
    Ok(())
}

fn check(program: &Path, root: &Path, environment: Option<&str>) -> Command {
    let mut command = Command::new(program);
    command.arg("check").current_dir(root);
    if let Some(environment) = environment {
        command.args(["--env", environment]);
    }
    command
}

/// Each goal with whether it is met.
fn verdict(goals: &[(&str, f64, f64)]) -> String {
    let words: Vec<String> = goals
        .iter()
        .map(|(unit, is, goal)| {
            let word = if is <= goal { "met" } else { "MISSED" };
            format!("{goal:.0} {unit} {word}")
        })
        .collect();
    words.join(", ")
}

fn print_row(what: &str, objects: usize, measurement: &Measurement, verdict: &str) {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand objects")]
    let per_second = objects as f64 / measurement.median_milliseconds() * 1000.0;
    println!(
        "{what:<12} {objects:>8} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {per_second:>12.0}  {verdict}",
        measurement.min_milliseconds(),
        measurement.median_milliseconds(),
        measurement.p95_milliseconds(),
        measurement.max_megabytes(),
    );
}

/// The objects under a folder: one per YAML file, since gen writes one object per file.
fn count_objects(folder: &Path) -> Result<usize> {
    Ok(environments::yaml_files(folder)?.len())
}

/// Where cargo puts release builds, which `CARGO_TARGET_DIR` and configuration can change.
fn release_folder() -> Result<std::path::PathBuf> {
    let output = workspace::cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo metadata names the target folder")?;
    Ok(Path::new(target).join("release"))
}

/// One line on where this was measured.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']));
    format!(
        "{model}, {cores} cores, {} {}",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
