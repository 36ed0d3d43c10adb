//! The pinned tools of `tools/`: which there are, and building those that the cache lacks.
//!
//! A tool is a folder with everything that fixes its version and a `build.sh OUT`. Its place in the cache is named by
//! the digest of that folder, so that a changed pin is another tool and an unchanged one is never built twice.

pub(crate) mod folder;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::machine::{self, Program};
use crate::{commands, workspace};

/// One folder of `tools/`.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    what: &'static str,
    /// How long the first build takes on two quiet cores.
    usual_seconds: u64,
    needs: &'static [Program],
    /// Variables that tell the tests where a part of the tool is: name, path inside the tool's cache folder.
    provides: &'static [(&'static str, &'static str)],
}

impl Tool {
    /// Changes with everything that the tool is built from.
    pub(crate) fn digest(&self) -> Result<String> {
        folder::digest(&recipe(self))
    }
}

const fn tool(
    name: &'static str,
    what: &'static str,
    usual_seconds: u64,
    needs: &'static [Program],
    provides: &'static [(&'static str, &'static str)],
) -> Tool {
    Tool {
        name,
        what,
        usual_seconds,
        needs,
        provides,
    }
}

/// Every tool, those that the most waits for first.
pub(crate) const TOOLS: &[Tool] = &[
    tool(
        "python",
        "zizmor, squawk, Kubernetes JSON schemas",
        12,
        &[Program::Python],
        &[
            ("TASKFLOW_ZIZMOR", "zizmor"),
            ("TASKFLOW_SQUAWK", "squawk"),
            ("TASKFLOW_KUBERNETES_SCHEMAS", "schemas"),
        ],
    ),
    tool(
        "crds",
        "the operators' resource definitions",
        25,
        &[Program::Go, Program::Maven, Program::Python],
        &[("TASKFLOW_CRDS", "")],
    ),
    tool(
        "kafka",
        "a Kafka broker",
        10,
        &[Program::Maven],
        &[("TASKFLOW_KAFKA", "lib")],
    ),
    tool(
        "judges",
        "kubeconform, actionlint",
        15,
        &[Program::Go],
        &[
            ("TASKFLOW_KUBECONFORM", "kubeconform"),
            ("TASKFLOW_ACTIONLINT", "actionlint"),
        ],
    ),
    tool(
        "schemathesis",
        "an API's requests from its OpenAPI document",
        15,
        &[Program::Python],
        &[("TASKFLOW_SCHEMATHESIS", "schemathesis")],
    ),
    tool("helm", "helm", 115, &[Program::Go], &[("TASKFLOW_HELM", "helm")]),
    tool(
        "promtool",
        "promtool",
        115,
        &[Program::Go],
        &[("TASKFLOW_PROMTOOL", "promtool")],
    ),
    tool(
        "kube",
        "Kubernetes API server, etcd, kubectl",
        320,
        &[Program::Go, Program::Openssl],
        &[("TASKFLOW_KUBE", "kube")],
    ),
    tool(
        "dapr",
        "daprd, Dapr's Scheduler",
        330,
        &[Program::Go, Program::Java],
        &[("TASKFLOW_DAPRD", "daprd"), ("TASKFLOW_DAPR_SCHEDULER", "scheduler")],
    ),
];

/// `cargo xtask tools`.
pub(crate) fn run(names: &[String], env: bool, prune: bool) -> Result<()> {
    let chosen = choose(names)?;
    prepare(&chosen)?;
    if prune {
        remove_stale()?;
    }
    if env {
        for (name, path) in variables(&chosen)? {
            println!("export {name}={}", path.display());
        }
    }
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Tool>> {
    if names.is_empty() {
        return Ok(TOOLS.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            TOOLS.iter().find(|tool| tool.name == name).with_context(|| {
                let known: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
                format!("no tool is called `{name}`; there are {}", known.join(", "))
            })
        })
        .collect()
}

/// Builds what is missing of these tools.
pub(crate) fn prepare(tools: &[&Tool]) -> Result<()> {
    let mut missing = Vec::new();
    for tool in tools {
        let home = home(tool)?;
        if !home.is_dir() {
            missing.push((*tool, home));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    machine::require(missing.iter().flat_map(|(tool, _)| tool.needs).copied())?;
    let minutes = missing
        .iter()
        .map(|(tool, _)| tool.usual_seconds)
        .sum::<u64>()
        .div_ceil(60);
    eprintln!(
        "tools: {} to prepare in {}, once; usually about {minutes} min on two cores",
        missing.len(),
        cache()?.display()
    );
    machine::warn_if_disk_is_short(&cache()?);
    for (tool, home) in missing {
        build(tool, &home)?;
    }
    Ok(())
}

/// The variables that tell the tests where these tools are.
pub(crate) fn variables(tools: &[&Tool]) -> Result<Vec<(&'static str, PathBuf)>> {
    let mut variables = Vec::new();
    for tool in tools {
        let home = home(tool)?;
        for (name, path) in tool.provides {
            variables.push((*name, home.join(path)));
        }
    }
    Ok(variables)
}

/// Builds beside the final place and renames, so that a half-built tool is never found.
fn build(tool: &Tool, home: &Path) -> Result<()> {
    eprintln!(
        "tools: building {} ({}), usually {} s …",
        tool.name, tool.what, tool.usual_seconds
    );
    let begin = Instant::now();
    let unfinished = home.with_extension(format!("unfinished-{}", std::process::id()));
    fs::create_dir_all(&unfinished).with_context(|| format!("could not make {}", unfinished.display()))?;
    let mut script = Command::new("bash");
    script.arg(recipe(tool).join("build.sh")).arg(&unfinished);
    if let Err(error) = commands::run_quietly(&mut script) {
        fs::remove_dir_all(&unfinished)?;
        return Err(error).with_context(|| format!("could not build {}", tool.name));
    }
    if let Err(error) = fs::rename(&unfinished, home) {
        fs::remove_dir_all(&unfinished)?;
        if !home.is_dir() {
            return Err(error).with_context(|| format!("could not make {}", home.display()));
        } // else somebody else built the same at the same time
    }
    eprintln!("tools: {} is ready after {} s", tool.name, begin.elapsed().as_secs());
    Ok(())
}

fn remove_stale() -> Result<()> {
    let mut current = Vec::new();
    for tool in TOOLS {
        current.push(home(tool)?);
    }
    for entry in fs::read_dir(cache()?)? {
        let path = entry?.path();
        if !current.contains(&path) {
            eprintln!("tools: removing {}", path.display());
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

fn recipe(tool: &Tool) -> PathBuf {
    workspace::root().join("tools").join(tool.name)
}

/// The tool's place in the cache, whether it is there or not.
pub(crate) fn home(tool: &Tool) -> Result<PathBuf> {
    Ok(cache()?.join(format!("{}-{}", tool.name, tool.digest()?)))
}

fn cache() -> Result<PathBuf> {
    Ok(workspace::cache()?.join("tools"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_recipe_of_tools_is_in_the_table_and_the_reverse() {
        let in_table: BTreeSet<String> = TOOLS.iter().map(|tool| tool.name.to_owned()).collect();
        let on_disk: BTreeSet<String> = fs::read_dir(workspace::root().join("tools"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("build.sh").is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        assert_eq!(in_table, on_disk);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = choose(&["helms".to_owned()]).err().unwrap().to_string();
        assert!(error.contains("`helms`") && error.contains("promtool"), "{error}");
    }
}
