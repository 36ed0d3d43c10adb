//! Where the checkout is, and what belongs to it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

/// The root of the checkout: the parent of this crate, whatever the current folder is.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map(Path::to_path_buf)
        .expect("the crate lies inside the workspace")
}

/// The cargo that runs us, in the root of the checkout. Queries are checked against `.sqlx/`, whatever database the
/// shell happens to name.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).env("SQLX_OFFLINE", "true");
    // What `cargo run` says about us: build scripts that look at it would run again, and `ring` with all that stands on
    // it would be built anew, each time that we and a person who types `cargo test` take turns.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Where cargo puts what it builds, which `CARGO_TARGET_DIR` and configuration can change.
pub(crate) fn target() -> Result<PathBuf> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("could not start cargo")?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("could not read cargo's metadata")?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo does not name the target folder")?;
    Ok(PathBuf::from(target))
}

/// What we keep for the next run, outside the checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache"),
    };
    Ok(base.join("taskflow"))
}
