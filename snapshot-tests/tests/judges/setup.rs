//! Where the checkout and the tools are.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use snapshot_tests::environments::{self, Environment};

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies inside the workspace")
        .to_owned()
}

/// The path in a variable that `cargo xtask test` sets.
pub(crate) fn tool(variable: &str) -> PathBuf {
    let Some(path) = std::env::var_os(variable).map(PathBuf::from) else {
        panic!("{variable} is not set: `cargo xtask test --only judges` prepares the tools and sets it");
    };
    assert!(path.exists(), "{variable} names {}, which is not there", path.display());
    path
}

/// Every committed environment; none at all is a failure.
pub(crate) fn committed_environments() -> Vec<Environment> {
    environments::all(&root()).unwrap_or_else(|error| panic!("{error:#}"))
}

/// Every object in the YAML files under a folder.
pub(crate) fn objects_in(folder: &Path) -> Vec<Value> {
    let files = environments::yaml_files(folder).unwrap_or_else(|error| panic!("{error:#}"));
    files
        .iter()
        .flat_map(|file| environments::documents(file).unwrap_or_else(|error| panic!("{error:#}")))
        .collect()
}

/// What a finished program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Everything, for a failure's message.
    pub(crate) fn everything(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// An error with everything that it said, unless it succeeded.
    pub(crate) fn succeeded(self, what: &str) -> Result<Self, String> {
        if self.success {
            Ok(self)
        } else {
            Err(format!("{what}:\n{}", self.everything()))
        }
    }
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Said {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("could not start {command:?}: {error}"));
    Said {
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
