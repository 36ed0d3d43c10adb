//! PostgreSQL and Kafka for the tests of one run, and the programs of `crates/test-kit` that hold such things for us.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::docker::Docker;
use crate::{commands, images, machine, workspace};

/// Variables that name servers of somebody's own: `crates/test-kit` reads them.
const OWN_SERVERS: [&str; 2] = ["TASKFLOW_TEST_POSTGRES_URL", "TASKFLOW_TEST_KAFKA"];

/// Time in which a program that holds something lets it go.
const PATIENCE: Duration = Duration::from_mins(1);

/// The engines of a run. They end with this value.
pub(crate) struct Engines {
    /// Declared before `docker`, so that the containers go before the engine that runs them.
    _held: Option<Held>,
    _docker: Option<Docker>,
    variables: BTreeMap<String, String>,
}

impl Engines {
    /// Starts them, unless variables name others. `build` is a command of cargo that makes test-kit's programs, in the
    /// company in which the caller needs them anyway: another company would be another build.
    pub(crate) fn start(build: &mut Command) -> Result<Self> {
        machine::require(machine::FOR_C_CODE)?;
        let own: BTreeMap<String, String> = OWN_SERVERS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?)))
            .collect();
        if own.len() == OWN_SERVERS.len() {
            eprintln!("engines: those that {} name", OWN_SERVERS.join(" and "));
            commands::run(build)?;
            return Ok(Self {
                _held: None,
                _docker: None,
                variables: own,
            });
        }
        if let Some(name) = own.keys().next() {
            bail!("{name} is set alone: set both of {} or none", OWN_SERVERS.join(" and "));
        }
        let docker = Docker::get()?;
        images::prepare(&docker)?;
        commands::run(build)?;
        eprintln!("engines: starting PostgreSQL and Kafka, usually 10 s …");
        let host = BTreeMap::from([("DOCKER_HOST".to_owned(), docker.host().to_owned())]);
        let held = Held::start(program("engines")?.envs(&host))?;
        let variables = held.variables.clone().into_iter().chain(host).collect();
        Ok(Self {
            _held: Some(held),
            _docker: Some(docker),
            variables,
        })
    }

    /// What tests read to find them, and Docker.
    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }
}

/// `cargo xtask engines`.
pub(crate) fn run() -> Result<()> {
    let engines = Engines::start(build_alone().args(["--bin", "engines"]))?;
    for (name, value) in engines.variables() {
        println!("export {name}='{value}'");
    }
    eprintln!("engines: run until Ctrl-C");
    commands::wait_for_interruption();
    Ok(())
}

/// Builds programs of test-kit without company.
pub(crate) fn build_alone() -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package", "test-kit"]);
    cargo
}

/// A program of test-kit, which has been built.
pub(crate) fn program(name: &str) -> Result<Command> {
    Ok(Command::new(workspace::target()?.join("debug").join(name)))
}

/// A program that holds something for us: it prints `NAME=value` lines and an empty one when it has it, and lets it go
/// when its standard input ends. So it does so even when we are killed.
pub(crate) struct Held {
    program: Child,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Held {
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut program = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0) // Ctrl-C in a terminal must not reach it before the tests have ended
            .spawn()
            .with_context(|| format!("could not start {}", commands::spelled(command)))?;
        let output = program.stdout.take().context("its output is piped")?;
        let mut held = Self {
            program,
            variables: BTreeMap::new(),
        };
        for line in BufReader::new(output).lines() {
            let line = line?;
            if line.is_empty() {
                return Ok(held);
            }
            let (name, value) = line.split_once('=').with_context(|| format!("{line:?} has no ="))?;
            held.variables.insert(name.to_owned(), value.to_owned());
        }
        bail!("{} ended before it was ready", commands::spelled(command))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.program.stdin.take());
        let has_ended = || !matches!(self.program.try_wait(), Ok(None));
        if !commands::wait_until(PATIENCE, has_ended) {
            // It may have ended by itself at this moment.
            let _ = self.program.kill();
            let _ = self.program.wait();
        }
    }
}
