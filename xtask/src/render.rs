//! `cargo xtask render`: what the chart renders for each service and environment, for reviewers to read.

use std::fs;

use anyhow::{Context, Result};
use snapshot_tests::rendered;

use crate::tools::{self, TOOLS};
use crate::workspace;

/// Writes every file and removes those that no release renders any more.
pub(crate) fn run() -> Result<()> {
    let helm = TOOLS.iter().filter(|tool| tool.name == "helm").collect::<Vec<_>>();
    tools::prepare(&helm)?;
    let variables = tools::variables(&helm)?;
    let (_, helm) = variables.first().context("helm provides itself")?;

    let root = workspace::root();
    let wanted = rendered::render(&root, helm)?;
    let present = rendered::committed(&root)?;
    for (path, text) in &wanted {
        if present.get(path) != Some(text) {
            let path = root.join(path);
            fs::create_dir_all(path.parent().context("the path has a folder")?)?;
            fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
            println!("wrote {}", path.display());
        }
    }
    for path in present.keys().filter(|path| !wanted.contains_key(*path)) {
        fs::remove_file(root.join(path))?;
        println!("removed {path}");
    }
    println!("{} files under {}", wanted.len(), rendered::FOLDER);
    Ok(())
}
