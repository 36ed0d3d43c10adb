//! `cargo xtask test`: the parts of the tests, each a `cargo test` with what it needs prepared.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::tools::{self, TOOLS, Tool};
use crate::workspace;

/// A part of the tests that can be run alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// Every crate's own tests: no tool, seconds
    Unit,
    /// Fixtures and what they compile to: no tool, seconds
    Snapshots,
    /// Independent tools over everything that is committed: the pinned tools, minutes
    Judges,
}

impl Part {
    const ALL: [Self; 3] = [Self::Unit, Self::Snapshots, Self::Judges];

    fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Snapshots => "snapshots",
            Self::Judges => "judges",
        }
    }

    fn tools(self) -> Vec<&'static Tool> {
        match self {
            Self::Unit | Self::Snapshots => Vec::new(),
            Self::Judges => TOOLS.iter().collect(),
        }
    }

    fn cargo(self) -> Result<Command> {
        let mut cargo = workspace::cargo();
        cargo.args(["test", "--no-fail-fast"]);
        // A missing or changed snapshot fails and leaves nothing behind.
        cargo.env("INSTA_UPDATE", "no");
        match self {
            Self::Unit => {
                cargo.args(["--workspace", "--exclude", "snapshot-tests"]);
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
        }
        Ok(cargo)
    }
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
        if workspace::run(&mut part.cargo()?).is_err() {
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
