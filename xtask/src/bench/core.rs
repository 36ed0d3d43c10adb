//! `cargo xtask bench core`: builds the services, the measuring program and its reference, and lets it measure.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use sha2::{Digest as _, Sha256};

use crate::docker::Docker;
use crate::machine::{self, Program};
use crate::tools::folder::digits;
use crate::{commands, images, workspace};

/// The packages that are built together, as they are released.
const PACKAGES: [&str; 5] = ["audit", "benches", "chat-api", "recurring-tasks", "websocket"];

/// What to measure, and how carefully.
#[derive(Args)]
pub(crate) struct Core {
    /// Measure only this (can be repeated)
    #[arg(long, value_name = "MEASURE", value_enum)]
    only: Vec<Measure>,
    /// Two minutes instead of twenty-five; docs/ stays as it is
    #[arg(long)]
    quick: bool,
}

/// What `benches` can measure, as its own command line spells it.
#[derive(Clone, Copy, ValueEnum)]
enum Measure {
    /// Creating and completing, beside pgbench and FastAPI
    Writes,
    /// Reading one and listing, beside FastAPI
    Reads,
    /// From the change to its consumer
    Latency,
    /// A relay with a backlog, beside bare rdkafka
    Drain,
    /// Searching among ten thousand to a million tasks
    Search,
    /// From exec to ready
    Startup,
    /// Memory, idle and under load
    Memory,
    /// Two clients that change the same task
    TwoWriters,
    /// From the change to a second browser, and the memory of a connection
    Live,
}

/// What `bench live` takes.
#[derive(Args)]
pub(crate) struct Live {
    /// A quarter of the time; docs/ stays as it is
    #[arg(long)]
    quick: bool,
}

/// The one measure of live updates.
pub(super) fn run_live(live: &Live) -> Result<()> {
    run(&Core {
        only: vec![Measure::Live],
        quick: live.quick,
    })
}

pub(super) fn run(core: &Core) -> Result<()> {
    machine::require(machine::FOR_C_CODE)?;
    machine::require([Program::Python])?;
    let docker = Docker::get()?;
    images::prepare(&docker)?;
    let python = reference()?;
    eprintln!("bench: building what is measured, as it is released");
    let packages = PACKAGES.iter().flat_map(|package| ["--package", package]);
    commands::run(workspace::cargo().args(["build", "--release"]).args(packages))?;
    let (root, target) = (workspace::root(), workspace::target()?);
    let programs = target.join("release");
    let results = target
        .join("bench")
        .join(if core.quick { "quick.json" } else { "core.json" });
    let mut bench = Command::new(programs.join("core-bench"));
    bench.env("DOCKER_HOST", docker.host()).current_dir(&root);
    bench.arg("--programs").arg(programs).arg("--python").arg(python);
    bench.arg("--results").arg(results).arg("--docs").arg(root.join("docs"));
    bench.args(["--commit", &commit(&root)?]);
    for measure in &core.only {
        let value = measure.to_possible_value().context("every measure has a name")?;
        bench.args(["--only", value.get_name()]);
    }
    if core.quick {
        bench.arg("--quick");
    }
    commands::run(&mut bench)
}

/// Python with the packages of the reference, made once for each list of them.
fn reference() -> Result<PathBuf> {
    let list = workspace::root().join("benches/fastapi/requirements.txt");
    let text = fs::read(&list).with_context(|| format!("could not read {}", list.display()))?;
    let digest = digits(&Sha256::digest(text));
    let folder = workspace::cache()?.join(format!("fastapi-{digest}"));
    let (python, done) = (folder.join("bin/python"), folder.join("done"));
    if done.exists() {
        return Ok(python);
    }
    eprintln!("bench: installing FastAPI, usually 20 s …");
    // One that was interrupted would not be whole.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    commands::run_quietly(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r"];
    commands::run_quietly(Command::new(&python).args(install).arg(list))?;
    fs::write(done, "")?;
    Ok(python)
}

/// What is checked out, and whether somebody has changed it.
fn commit(root: &Path) -> Result<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--exclude", "*"])
        .current_dir(root)
        .output()
        .context("could not start git")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
