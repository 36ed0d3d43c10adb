//! `cargo xtask tidy`: the checks that need no tool but cargo.

use anyhow::{Result, bail};

use crate::{commands, machine, workspace};

/// Runs every check, even after one has failed.
pub(crate) fn run() -> Result<()> {
    let checks: [(&str, &[&str]); 3] = [
        ("format", &["fmt", "--all", "--check"]),
        (
            "lints",
            &["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"],
        ),
        ("shape", &["test", "--quiet", "--package", "xtask", "--test", "shape"]),
    ];
    machine::require(machine::FOR_C_CODE)?;
    let mut failed = Vec::new();
    for (name, arguments) in checks {
        eprintln!("tidy: {name}");
        if commands::run(workspace::cargo().args(arguments)).is_err() {
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("not tidy: {}", failed.join(", "));
    }
    Ok(())
}
