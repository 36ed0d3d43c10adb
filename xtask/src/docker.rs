//! A Docker engine for the tests: one that answers already, else one of our own.

mod daemon;

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use self::daemon::Daemon;
use crate::machine::{self, Program};

/// A Docker engine that answers. One of our own ends with the last value that uses it.
pub(crate) struct Docker {
    host: String,
    _own: Option<Daemon>,
}

impl Docker {
    pub(crate) fn get() -> Result<Self> {
        let silence = match running() {
            Ok(host) => return Ok(Self { host, _own: None }),
            Err(why) => why,
        };
        if let Some(host) = std::env::var_os("DOCKER_HOST") {
            bail!("no Docker engine answers at {} (DOCKER_HOST)", host.display());
        }
        if !(cfg!(target_os = "linux") && machine::is_root()) {
            bail!(
                "no Docker engine answers ({silence}); start one, on Debian:\n  \
                 sudo apt-get install docker.io && sudo usermod --append --groups docker \"$USER\"  # then log in again\n\
                 or let the tests use servers of your own: CONTRIBUTING.md, \"Servers of your own\""
            );
        }
        machine::require([Program::DockerEngine])?;
        machine::require([Program::DockerClient])?; // on some Debians a package of its own
        // Installing may have started one.
        if let Ok(host) = running() {
            return Ok(Self { host, _own: None });
        }
        let daemon = Daemon::start()?;
        Ok(Self {
            host: daemon.host(),
            _own: Some(daemon),
        })
    }

    /// The engine's address, as `DOCKER_HOST` wants it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The client, told to use this engine.
    pub(crate) fn client(&self) -> Command {
        let mut client = Command::new("docker");
        client.env("DOCKER_HOST", &self.host);
        client
    }
}

/// Address of the engine that the client uses by itself, if that answers; else why not.
fn running() -> Result<String, String> {
    let client = |arguments: &[&str]| {
        let output = Command::new("docker")
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("docker: {error}"))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
        }
    };
    client(&["version", "--format", "{{.Server.Version}}"])?;
    client(&["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
}
