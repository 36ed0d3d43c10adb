//! `cargo xtask test`: the parts of the tests, each a `cargo test` with what it needs prepared.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::engines::Engines;
use crate::machine::{self, Program};
use crate::tools::{self, TOOLS, Tool};
use crate::{commands, sqlx, workspace};

/// A part of the tests that can be run alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// Every crate's own tests: no tool, seconds
    Unit,
    /// Fixtures and what they compile to: no tool, seconds
    Snapshots,
    /// Independent tools over everything that is committed: the pinned tools, minutes
    Judges,
    /// Services and what they are made of, on real PostgreSQL and Kafka: Docker, minutes
    Services,
}

/// The packages whose tests need engines. They build C code, which needs more than Rust.
const ON_ENGINES: &[&str] = &[
    "audit",
    "benches",
    "chat-api",
    "dlq-monitor",
    "event-bus",
    "notification",
    "outbox",
    "recurring-tasks",
    "service-kit",
    "system-tests",
    "test-kit",
    "websocket",
];

impl Part {
    const ALL: [Self; 4] = [Self::Unit, Self::Snapshots, Self::Judges, Self::Services];

    fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Snapshots => "snapshots",
            Self::Judges => "judges",
            Self::Services => "services",
        }
    }

    fn tools(self) -> Vec<&'static Tool> {
        match self {
            Self::Unit | Self::Snapshots => Vec::new(),
            Self::Judges => TOOLS.iter().filter(|tool| tool.name != "schemathesis").collect(),
            // Kafka's own client says where an event belongs; daprd carries events; promtool judges what dlq-monitor exports.
            Self::Services => {
                let needed = ["dapr", "kafka", "promtool", "schemathesis"];
                TOOLS.iter().filter(|tool| needed.contains(&tool.name)).collect()
            }
        }
    }

    fn run(self) -> Result<()> {
        let mut cargo = workspace::cargo();
        cargo.args(["test", "--no-fail-fast"]);
        // A missing or changed snapshot fails and leaves nothing behind.
        cargo.env("INSTA_UPDATE", "no");
        match self {
            Self::Unit => {
                cargo.args(["--workspace", "--exclude", "snapshot-tests"]);
                cargo.args(ON_ENGINES.iter().flat_map(|package| ["--exclude", package]));
            }
            Self::Snapshots => {
                cargo.args(["--package", "snapshot-tests", "--lib"]);
                for target in test_targets(&workspace::root().join("snapshot-tests/tests"))? {
                    if target != "judges" {
                        cargo.args(["--test", &target]);
                    }
                }
            }
            Self::Judges => {
                cargo.args(["--package", "snapshot-tests", "--test", "judges"]);
                cargo.envs(tools::variables(&self.tools())?);
            }
            Self::Services => {
                machine::require([Program::Java])?;
                cargo.envs(tools::variables(&self.tools())?);
                return run_on_engines(cargo);
            }
        }
        commands::run(&mut cargo)
    }
}

fn run_on_engines(mut cargo: Command) -> Result<()> {
    let company = company();
    let mut build = workspace::cargo();
    let engines = Engines::start(build.args(["test", "--no-run"]).args(&company)).context(
        "could not start what the tests run on, or not build them (after a change of a query: cargo xtask sqlx)",
    )?;
    let queries = sqlx::check(&engines);
    let tests = commands::run(cargo.args(&company).envs(engines.variables()));
    match (queries, tests) {
        (Err(queries), Err(tests)) => bail!("{queries:#}; {tests:#}"),
        (queries, tests) => queries.and(tests),
    }
}

/// The packages and features that are always built together: cargo would build what they share once more for others.
pub(crate) fn company() -> Vec<&'static str> {
    ON_ENGINES
        .iter()
        .flat_map(|package| ["--package", package])
        .chain(["--features", "event-bus/crash-points"])
        .collect()
}

/// The integration tests of a crate: its files, and its folders that have a `main.rs`.
fn test_targets(folder: &Path) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))? {
        let path = entry?.path();
        let is_target = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file();
        if is_target && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) {
            targets.push(stem.to_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

/// Runs the chosen parts, or all; a failing part does not keep the next from running.
pub(crate) fn run(only: &[Part]) -> Result<()> {
    let parts: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| only.is_empty() || only.contains(part))
        .collect();
    for part in &parts {
        tools::prepare(&part.tools()).with_context(|| format!("could not prepare the tools of `{}`", part.name()))?;
    }
    let mut failed = Vec::new();
    for part in parts {
        eprintln!("test: {}", part.name());
        if let Err(error) = part.run() {
            eprintln!("test: {}: {error:#}", part.name());
            failed.push(part.name());
        }
    }
    if !failed.is_empty() {
        bail!(
            "failed: {} (one part again: cargo xtask test --only {})",
            failed.join(", "),
            failed[0]
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn whoever_is_tested_with_engines_is_among_those_that_get_them() {
        let output = workspace::cargo()
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .output()
            .unwrap();
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        for package in metadata["packages"].as_array().unwrap() {
            let uses_engines = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .any(|dependency| dependency["name"] == "test-kit");
            let name = package["name"].as_str().unwrap();
            assert!(
                !uses_engines || ON_ENGINES.contains(&name),
                "{name} is not in ON_ENGINES"
            );
        }
    }
}
