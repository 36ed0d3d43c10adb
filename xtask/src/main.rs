//! Development commands: `cargo xtask up | test | engines | sqlx | tools | render | bench | tidy`.
//!
//! Everything here can be run from any folder of the checkout; nothing here is part of what is deployed.

mod bench;
mod commands;
mod docker;
mod engines;
mod images;
mod machine;
mod released;
mod render;
mod sqlx;
mod test;
mod tidy;
mod tools;
mod up;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Development commands of TaskFlow",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the core on this machine until Ctrl-C, with a demo account; what is done there stays for the next time
    Up(up::Options),
    /// Run the tests, after preparing the pinned tools that they need
    Test {
        /// Run only this part (can be repeated)
        #[arg(long, value_name = "PART", value_enum)]
        only: Vec<test::Part>,
    },
    /// Run PostgreSQL and Kafka for tests that you start yourself, until Ctrl-C
    Engines,
    /// Write what the queries of the services mean to .sqlx
    Sqlx {
        /// Record them as those of this release too: the next one must not break them
        #[arg(long, value_name = "VERSION")]
        release: Option<String>,
    },
    /// Build the pinned tools of tools/ that are not in the cache yet
    Tools {
        /// Which tools (default: all)
        names: Vec<String>,
        /// Print the variables that the judges read, as shell exports
        #[arg(long)]
        env: bool,
        /// Remove cached tools that no longer match their folder
        #[arg(long)]
        prune: bool,
    },
    /// Write what the chart renders for each service and environment to snapshot-tests/rendered
    Render,
    /// Measure, on a release build
    Bench {
        #[command(subcommand)]
        subject: bench::Subject,
    },
    /// Check formatting, lints and the shape of the workspace
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `{:?}`: a failed test is no reason for a backtrace of ours.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    commands::end_on_signals()?;
    match command {
        Command::Up(options) => up::run(&options),
        Command::Test { only } => test::run(&only),
        Command::Engines => engines::run(),
        Command::Sqlx { release } => sqlx::run(release.as_deref()),
        Command::Tools { names, env, prune } => tools::run(&names, env, prune),
        Command::Render => render::run(),
        Command::Bench { subject } => bench::run(&subject),
        Command::Tidy => tidy::run(),
    }
}
