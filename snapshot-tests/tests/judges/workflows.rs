//! actionlint and zizmor have nothing to say about the workflows.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::setup::{root, run, tool};

#[test]
fn workflows_are_clean() {
    let workflows = root().join(".github/workflows");
    judge(&workflows).unwrap_or_else(|error| panic!("{error}"));
}

fn judge(workflows: &Path) -> Result<(), String> {
    let mut files: Vec<_> = fs::read_dir(workflows)
        .map_err(|error| format!("{}: {error}", workflows.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(format!("{} holds no workflow", workflows.display()));
    }
    // What it finds must not depend on whether shellcheck and pyflakes happen to be installed.
    run(Command::new(tool("TASKFLOW_ACTIONLINT"))
        .args(["-no-color", "-shellcheck=", "-pyflakes="])
        .args(&files))
    .succeeded("actionlint")?;
    run(Command::new(tool("TASKFLOW_ZIZMOR"))
        .args([
            "--offline",
            "--quiet",
            "--no-progress",
            "--color=never",
            "--persona=pedantic",
        ])
        .args(&files))
    .succeeded("zizmor")?;
    Ok(())
}

#[test]
fn an_unknown_key_and_an_injection_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let workflow = |step: &str| {
        let text = format!(
            "name: a\non: pull_request\npermissions: {{}}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - {step}\n"
        );
        fs::write(folder.path().join("a.yaml"), text).unwrap();
        judge(folder.path()).unwrap_err()
    };
    let error = workflow("rnu: echo");
    assert!(error.starts_with("actionlint") && error.contains("rnu"), "{error}");
    let error = workflow("uses: actions/checkout@v6");
    assert!(
        error.starts_with("zizmor") && error.contains("unpinned-uses"),
        "{error}"
    );
}
