//! A service as a process of its own, as it runs in production.

use std::{
    env,
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::wait_until;

/// How long a service may take from its start to a listener: far more than it needs on a quiet machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running service. It is killed together with this value; what it printed is shown when the test fails.
pub struct Service {
    name: String,
    child: Child,
    output: Output,
    readers: [JoinHandle<()>; 2],
}

type Output = Arc<Mutex<Vec<String>>>;

/// Path of a program of this workspace, built beside the running test.
///
/// For the program of a test's own package, `env!("CARGO_BIN_EXE_…")` is better: cargo builds it.
pub fn built(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a process knows its program");
    let folder = test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps");
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "{} is not there; `cargo build --package {name}` makes it",
        program.display()
    );
    program
}

/// Starts a program that ends with the test even where the test is killed.
pub(crate) fn start_bound<'a>(
    program: &Path,
    arguments: &[String],
    environment: impl IntoIterator<Item = (&'a str, String)>,
) -> Service {
    let mut all = vec!["--pdeathsig", "KILL", "--", program.to_str().expect("a path is text")];
    all.extend(arguments.iter().map(String::as_str));
    Service::start(&setpriv(), &all, environment)
}

/// util-linux's, wherever it is: processes of tests have no `PATH`.
fn setpriv() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).map(|folder| folder.join("setpriv"));
    places.find(|place| place.is_file()).expect("util-linux is installed")
}

impl Service {
    /// Starts a program with these arguments and only these variables.
    pub fn start<'a>(
        program: &Path,
        arguments: &[&str],
        environment: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("could not start {}: {error}", program.display()));
        let output = Output::default();
        let readers = [
            collect(child.stdout.take().expect("it is piped"), &output),
            collect(child.stderr.take().expect("it is piped"), &output),
        ];
        Self {
            name: program.file_name().unwrap_or_default().display().to_string(),
            child,
            output,
            readers,
        }
    }

    /// Where it listens: waits for its log line `listening` with `listener` equal to this name and `address`.
    pub async fn address(&mut self, listener: &str) -> SocketAddr {
        let what = format!("{} listens as {listener}", self.name);
        wait_until(&what, PATIENCE, async || {
            if let Some(address) = self.lines().iter().find_map(|line| listening(line, listener)) {
                return Ok(address);
            }
            Err(match self.child.try_wait() {
                Ok(Some(status)) => panic!("{} ended instead: {status}", self.name),
                _ => self
                    .lines()
                    .pop()
                    .unwrap_or_else(|| "it has printed nothing".to_owned()),
            })
        })
        .await
    }

    /// Everything that it has printed so far, in lines.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its number among the processes of this machine.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// SIGTERM: what an orchestrator sends first.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGKILL where it still runs, and waits until it is gone.
    pub fn kill(&mut self) {
        // Who has ended and was waited for has given its number back, which may be another's by now: only the child knows.
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// SIGSTOP: alive, and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT, after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be looked at").is_none()
    }

    /// How it ended; the test fails when it has not within the deadline. [`lines`](Self::lines) are complete then.
    pub async fn exit(&mut self, deadline: Duration) -> ExitStatus {
        let what = format!("{} ends", self.name);
        wait_until(&what, deadline, async || {
            let status = self.child.try_wait().expect("a child can be looked at");
            let status = status.ok_or("it is still running")?;
            if self.readers.iter().all(JoinHandle::is_finished) {
                Ok(status)
            } else {
                Err("what it printed is still being read")
            }
        })
        .await
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("process ids are positive"), signal).expect("the process is there");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- {} ({}) printed:", self.name, self.child.id());
            for line in self.lines() {
                eprintln!("{line}");
            }
        }
    }
}

/// A thread of its own, so that a full pipe never stops the service. It ends with the pipe.
fn collect(pipe: impl Read + Send + 'static, output: &Output) -> JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            output.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    })
}

fn listening(line: &str, listener: &str) -> Option<SocketAddr> {
    let line: Value = serde_json::from_str(line).ok()?;
    if line["message"] != "listening" || line["listener"] != listener {
        return None;
    }
    line["address"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Service {
        Service::start(
            Path::new("/bin/sh"),
            &["-c", script],
            [("GREETING", "hello".to_owned())],
        )
    }

    #[tokio::test]
    async fn a_listener_is_found_by_its_name() {
        let mut service = shell(
            r#"echo "$GREETING $HOME" >&2
            echo '{"message":"listening","listener":"metrics","address":"127.0.0.1:1"}'
            echo '{"message":"listening","listener":"public","address":"127.0.0.1:2"}'
            exec sleep 60"#,
        );
        assert_eq!(service.address("public").await, "127.0.0.1:2".parse().unwrap());
        assert_eq!(service.address("metrics").await, "127.0.0.1:1".parse().unwrap());
        wait_until("it sees only its own variables", PATIENCE, async || {
            let lines = service.lines();
            if lines.contains(&"hello ".to_owned()) {
                Ok(())
            } else {
                Err(lines.join("\n"))
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_signal_ends_it_as_the_program_decides() {
        let mut polite = shell(
            "trap 'exit 3' TERM; echo '{\"message\":\"listening\",\"listener\":\"a\",\"address\":\"127.0.0.1:1\"}'; while :; do sleep 0.01; done",
        );
        polite.address("a").await; // from here on the trap is set
        polite.terminate();
        assert_eq!(polite.exit(Duration::from_secs(10)).await.code(), Some(3));

        let mut other = shell("exec sleep 60");
        other.kill();
        assert!(!other.exit(Duration::from_secs(10)).await.success());
    }
}
