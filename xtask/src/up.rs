//! `cargo xtask up`: the core on this machine, for a person.
//!
//! The program `up` of `crates/test-kit` holds everything until its standard input ends. So Ctrl-C stops it in order, and
//! it stops by itself when we are killed; what is left when it is killed, we remove, or the next start does.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::docker::Docker;
use crate::{commands, engines, images, machine, test, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// The services listen on this port and the eight after it
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = clap::value_parser!(u16).range(1..=65527))]
    port: u16,
    /// Forget the accounts and tasks of the last time
    #[arg(long)]
    fresh: bool,
    /// Keys and logs go here, and accounts and tasks belong to it [default: a folder of the cache]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// Runs until Ctrl-C.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = match &options.data {
        Some(folder) => std::path::absolute(folder).context("the folder of --data has no path")?,
        None => workspace::cache()?.join("up"),
    };
    machine::require(machine::FOR_C_CODE)?;
    let docker = Docker::get()?;
    let up = |mode: &str| -> Result<Command> {
        let mut program = engines::program("up")?;
        program.arg(&folder).arg(options.port.to_string()).arg(mode);
        program.env("DOCKER_HOST", docker.host());
        Ok(program)
    };
    // Whoever waits for a build wants to know before that the ports are somebody else's.
    if Path::new(up("sweep")?.get_program()).is_file() && !commands::run_until_signal(&mut up("sweep")?)?.success() {
        bail!("nothing was started");
    }
    images::prepare(&docker)?;
    eprintln!("up: building the services; the first time takes some minutes …");
    commands::run(&mut build())?;
    let status = commands::run_until_signal(&mut up(if options.fresh { "fresh" } else { "keep" })?)?;
    if status.success() {
        return Ok(());
    }
    if status.code().is_none() {
        commands::run_until_signal(&mut up("sweep")?)?;
    }
    match status.code() {
        Some(_) => bail!("nothing runs any more; if its data is the reason, `--fresh` starts without it"),
        None => bail!("`up` was killed ({status}); nothing of it runs any more"),
    }
}

/// The programs that it takes. The test beside them makes cargo resolve features as for `cargo xtask test`, so that
/// neither of the two builds everything once more for itself.
fn build() -> Command {
    let mut cargo = workspace::cargo();
    cargo.arg("build").args(test::company()).args(["--test", "core"]);
    cargo.args(
        ["up", "chat-api", "recurring-tasks", "audit"]
            .iter()
            .flat_map(|name| ["--bin", name]),
    );
    cargo
}
