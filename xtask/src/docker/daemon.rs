//! A Docker engine of our own: socket, process id, images and containers lie in a folder of the cache, and nothing
//! listens on the network. Runs at the same time share it; the last one stops it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::{commands, workspace};

const PATIENCE: Duration = Duration::from_mins(1);

/// A use of the engine.
pub(super) struct Daemon {
    folder: PathBuf,
    /// Locked as shared by everybody who uses the engine, and exclusively by the one who starts or stops it. The kernel
    /// unlocks it for a process that is killed.
    lock: File,
}

impl Daemon {
    pub(super) fn start() -> Result<Self> {
        let folder = workspace::cache()?.join("docker");
        fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        let lock = File::create(folder.join("lock"))?;
        let daemon = Self { folder, lock };
        loop {
            if daemon.lock.try_lock().is_ok() {
                let outcome = daemon.run();
                daemon.lock.unlock()?;
                outcome?;
            }
            daemon.lock.lock_shared()?;
            if daemon.answers() {
                return Ok(daemon);
            }
            daemon.lock.unlock()?; // somebody stopped it in between
        }
    }

    pub(super) fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("docker.sock")
    }

    fn answers(&self) -> bool {
        Command::new("docker")
            .args(["--host", &self.host(), "version"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// Makes it run, unless a run that was killed has left it running.
    fn run(&self) -> Result<()> {
        if self.answers() {
            return Ok(());
        }
        self.stop();
        eprintln!("docker: none answers; starting one in {}", self.folder.display());
        let configuration = self.folder.join("daemon.json");
        let settings = json!({
            "hosts": [self.host()],
            "pidfile": self.folder.join("docker.pid"),
            "data-root": self.folder.join("data"),
            "exec-root": self.folder.join("exec"),
            // Published ports go through Docker's own proxy; the machine's firewall and routing stay as they are.
            "iptables": false,
            "ip6tables": false,
            "ip-forward": false,
            "ip-masq": false,
        });
        fs::write(&configuration, settings.to_string())?;
        let log_path = self.folder.join("log");
        let log = File::create(&log_path)?;
        let mut child = Command::new("dockerd")
            .arg("--config-file")
            .arg(&configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0) // Ctrl-C in a terminal must not reach it before we have cleaned up
            .spawn()
            .context("could not start dockerd")?;
        let mut has_ended = false;
        commands::wait_until(PATIENCE, || {
            has_ended = !matches!(child.try_wait(), Ok(None));
            has_ended || self.answers()
        });
        if has_ended || !self.answers() {
            self.stop();
            let log = fs::read_to_string(&log_path).unwrap_or_default();
            bail!(
                "dockerd does not work here; it says:\n{}",
                commands::last_lines(&log, 20)
            );
        }
        Ok(())
    }

    /// Ends what runs here. The engine ends its own containerd; only one that was killed leaves it behind.
    fn stop(&self) {
        for pid_file in ["docker.pid", "exec/containerd/containerd.pid"] {
            let Some(process) = self.process(pid_file) else {
                continue;
            };
            for signal in [Signal::TERM, Signal::KILL] {
                // It may have ended by itself at this moment.
                let _ = kill_process(process, signal);
                if commands::wait_until(PATIENCE / 3, || self.process(pid_file) != Some(process)) {
                    break;
                }
            }
        }
        // Docker leaves this mounted, and nobody could remove the cache.
        let _ = Command::new("umount")
            .arg(self.folder.join("exec/netns/default"))
            .stderr(Stdio::null())
            .status();
    }

    /// The living process of a file with its id, if it is one of ours: the number may be somebody else's by now.
    fn process(&self, pid_file: &str) -> Option<Pid> {
        let id: i32 = fs::read_to_string(self.folder.join(pid_file))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        let command_line = fs::read(Path::new("/proc").join(id.to_string()).join("cmdline")).ok()?;
        let folder = self.folder.to_str()?;
        String::from_utf8_lossy(&command_line)
            .contains(folder)
            .then(|| Pid::from_raw(id))?
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.lock.unlock().is_ok() && self.lock.try_lock().is_ok() {
            self.stop();
        }
    }
}
