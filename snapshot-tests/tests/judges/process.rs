//! Long-running programs of a test: output kept in a file, ended with the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A program that is killed when this is dropped.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; its output goes to `<folder>/<name>.log`.
    ///
    /// Where the kernel can, it also ends the program when the thread that started it dies: a killed test run leaves
    /// nothing behind.
    pub(crate) fn start(name: &str, program: &Path, arguments: &[String], folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = fs::File::create(&log).expect("the test's folder can be written");
        let mut command = if can_tie_to_parent() {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let child = command
            .args(arguments)
            .current_dir(folder)
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("could not start {}: {error}", program.display()));
        Self {
            name: name.to_owned(),
            child,
            log,
        }
    }

    /// The last lines of its output.
    pub(crate) fn output(&self) -> String {
        let text = self.whole_output();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// All of its output.
    pub(crate) fn whole_output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// An error with its last words, if it has ended.
    pub(crate) fn is_running(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("{} ended ({status}):\n{}", self.name, self.output())),
            Err(error) => Err(format!("{}: {error}", self.name)),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it holds is in the test's own folder and goes with it: no need to ask politely.
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// util-linux's setpriv knows --pdeathsig since 2.33.
fn can_tie_to_parent() -> bool {
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
