//! The commands that we run, and what Ctrl-C does to them: it ends the one under way, and we clean up as after a failure.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static STATE: Mutex<State> = Mutex::new(State {
    interruptions: 0,
    under_way: None,
    input: None,
});
static INTERRUPTED: Condvar = Condvar::new();

struct State {
    interruptions: u32,
    /// The process group of the command under way.
    under_way: Option<Pid>,
    /// Its standard input, where the end of that is the politest way to end it.
    input: Option<ChildStdin>,
}

impl State {
    /// Politely at first; a second signal means that the first was not enough.
    fn end_what_is_under_way(&mut self) {
        if self.input.take().is_some() {
            return;
        }
        let signal = if self.interruptions > 1 {
            Signal::KILL
        } else {
            Signal::INT
        };
        if let Some(group) = self.under_way {
            // It may have ended by itself at this moment.
            let _ = kill_process_group(group, signal);
        }
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on a signal ends the command under way instead of this process.
pub(crate) fn end_on_signals() -> Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("could not listen to signals")?;
    thread::spawn(move || {
        for _ in &mut signals {
            let mut state = state();
            state.interruptions += 1;
            state.end_what_is_under_way();
            INTERRUPTED.notify_all();
        }
    });
    Ok(())
}

/// Waits for Ctrl-C.
pub(crate) fn wait_for_interruption() {
    let guard = INTERRUPTED.wait_while(state(), |state| state.interruptions == 0);
    drop(guard);
}

/// Runs a command with our own output; an error names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("{status}: {}", spelled(command));
    }
    Ok(())
}

/// Runs a command without showing its output; an error ends with the last lines of it.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let path = std::env::temp_dir().join(format!("taskflow-{}.log", std::process::id()));
    let log = File::create(&path).with_context(|| format!("could not write {}", path.display()))?;
    let status = status(command.stdout(log.try_clone()?).stderr(log));
    let output = fs::read_to_string(&path).unwrap_or_default();
    fs::remove_file(&path)?;
    let status = status?;
    if !status.success() {
        bail!("{status}: {}\n{}", spelled(command), last_lines(&output, 40));
    }
    Ok(())
}

/// In a process group of its own, so that a signal reaches what the command itself has started, and so that Ctrl-C in a
/// terminal reaches it through us only.
fn status(command: &mut Command) -> Result<ExitStatus> {
    let mut child = {
        let mut state = state();
        if state.interruptions > 0 {
            bail!("interrupted");
        }
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {}", spelled(command)))?;
        state.under_way = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        child
    };
    let status = child.wait();
    let mut state = state();
    state.under_way = None;
    if state.interruptions > 0 {
        bail!("interrupted");
    }
    Ok(status?)
}

/// Runs a program that works until its standard input ends, with our own output. The first signal ends that input, the
/// second one the program with everything that it has started; and so it goes without a signal when it was killed.
pub(crate) fn run_until_signal(command: &mut Command) -> Result<ExitStatus> {
    let mut child = {
        let mut state = state();
        if state.interruptions > 0 {
            bail!("interrupted");
        }
        let mut child = command
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {}", spelled(command)))?;
        state.under_way = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        state.input = child.stdin.take();
        child
    };
    let status = child.wait();
    let mut state = state();
    state.input = None;
    let group = state.under_way.take();
    let status = status?;
    if let (None, Some(group)) = (status.code(), group) {
        // It could not end what it had started. None may be left.
        let _ = kill_process_group(group, Signal::KILL);
    }
    Ok(status)
}

/// Program and arguments, as a person would write them.
pub(crate) fn spelled(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words: Vec<_> = [program]
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.display().to_string())
        .collect();
    words.join(" ")
}

/// The end of a text, for an error.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// Looks again and again; whether the state came before the deadline.
pub(crate) fn wait_until(deadline: Duration, mut look: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    loop {
        if look() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        #[expect(clippy::disallowed_methods, reason = "the pause between two looks at a state")]
        thread::sleep(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_command_that_fails_tells_its_last_lines() {
        let mut command = Command::new("sh");
        command.args(["-c", "for i in $(seq 100); do echo line $i; done >&2; exit 3"]);
        let error = run_quietly(&mut command).unwrap_err().to_string();
        assert!(error.contains("line 61\n") && error.ends_with("line 100"), "{error}");
        assert!(!error.contains("line 60\n"), "{error}");
    }

    #[test]
    fn waiting_ends_with_the_state_or_with_the_deadline() {
        let mut looks = 0;
        assert!(wait_until(Duration::from_mins(1), || {
            looks += 1;
            looks == 3
        }));
        assert!(!wait_until(Duration::from_millis(30), || false));
    }
}
