//! Writes `clusters/<env>/`: all of it or nothing, and only what is gen's own.
//!
//! Every new file is first written whole, and synced, into `clusters/.gen-tmp/`; a full disk stops there with
//! nothing changed. Then the files are renamed into place, stale ones deleted, and `owned.json` renamed last.
//! Killed in between, each file is old or new, never half; the next run finishes.

use super::{Exit, folder};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use taskflow_gen::Compilation;
use taskflow_gen::output::{Difference, Found, OWNED, State, Tree, compare};

struct Plan<'a> {
    name: &'a str,
    /// The folder as people are told of it.
    shown: String,
    tree: &'a Tree,
    folder: PathBuf,
    differences: Vec<Difference>,
}

/// Writes every compiled environment.
pub(crate) fn write(root: &Path, compilations: &[Compilation], quiet: bool) -> Result<Exit> {
    let clusters = root.join("clusters");
    let mut plans = Vec::new();
    for (compilation, tree) in compilations.iter().filter_map(|c| Some((c, c.tree.as_ref()?))) {
        let shown = format!("clusters/{}", compilation.name);
        plans.push(plan(&clusters, &compilation.name, shown, tree)?);
    }
    carry_out(&clusters, &plans)?;
    let mut out = std::io::stdout().lock();
    for plan in &plans {
        say(&mut out, plan, quiet)?;
    }
    Ok(Exit::Nothing)
}

/// Writes one tree into any folder that is empty, not there yet, or gen's own from an earlier run.
pub(crate) fn write_into(folder: &Path, tree: &Tree, quiet: bool) -> Result<Exit> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        bail!("{} names no folder", folder.display());
    };
    let found = folder::read(folder)?;
    if !found.is_empty() && !found.contains_key(OWNED) {
        bail!(
            "{} holds files that gen did not write; name an empty folder",
            folder.display()
        );
    }
    let parent = match folder.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let plan = plan(parent, name, folder.display().to_string(), tree)?;
    carry_out(parent, std::slice::from_ref(&plan))?;
    let mut out = std::io::stdout().lock();
    if !quiet {
        for path in tree.keys().filter(|path| *path != OWNED) {
            writeln!(out, "{}/{path}", plan.shown)?;
        }
    }
    say(&mut out, &plan, quiet)?;
    Ok(Exit::Nothing)
}

fn carry_out(parent: &Path, plans: &[Plan<'_>]) -> Result<()> {
    let temporary = parent.join(format!(".gen-tmp-{}", std::process::id()));
    let result = prepare(&temporary, plans).and_then(|()| plans.iter().try_for_each(|plan| apply(&temporary, plan)));
    // Also after a failure: what was prepared is of no use to anyone.
    let _ = std::fs::remove_dir_all(&temporary);
    result?;
    remove_leftovers(parent);
    Ok(())
}

/// What is to be done, or why it must not be.
fn plan<'a>(parent: &Path, name: &'a str, shown: String, tree: &'a Tree) -> Result<Plan<'a>> {
    let folder = parent.join(name);
    for ancestor in [parent, &folder] {
        if std::fs::symlink_metadata(ancestor).is_ok_and(|metadata| !metadata.is_dir()) {
            bail!("{} is not a folder; gen writes through no link", ancestor.display());
        }
    }
    let found = folder::read(&folder)?;
    let differences = compare(tree, &found);
    for difference in &differences {
        let shown = format!("{shown}/{}", difference.path);
        if difference.expected && difference.state == State::Foreign {
            let what = match found.get(&difference.path) {
                Some(Found::Other(what)) => what,
                _ => "a file that gen did not write",
            };
            bail!("{shown} is {what}; move it away, then run gen again");
        }
    }
    // A link or file where a folder belongs would lead the write elsewhere.
    let folders: BTreeSet<&str> = tree.keys().filter_map(|path| Some(path.rsplit_once('/')?.0)).collect();
    for inner in folders {
        for (at, _) in inner.match_indices('/').chain([(inner.len(), "")]) {
            let path = folder.join(&inner[..at]);
            if std::fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_dir()) {
                bail!("{} is not a folder; gen writes through no link", path.display());
            }
        }
    }
    Ok(Plan {
        name,
        shown,
        tree,
        folder,
        differences,
    })
}

fn prepare(temporary: &Path, plans: &[Plan<'_>]) -> Result<()> {
    for plan in plans {
        for difference in plan.differences.iter().filter(|difference| difference.expected) {
            let path = temporary.join(plan.name).join(&difference.path);
            let context = || format!("could not write {}; nothing was changed", path.display());
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).with_context(context)?;
            }
            let mut file = std::fs::File::create_new(&path).with_context(context)?;
            file.write_all(plan.tree[&difference.path].as_bytes())
                .with_context(context)?;
            file.sync_all().with_context(context)?;
        }
    }
    Ok(())
}

fn apply(temporary: &Path, plan: &Plan<'_>) -> Result<()> {
    let (list, files): (Vec<_>, Vec<_>) = plan.differences.iter().partition(|difference| difference.path == OWNED);
    for difference in &files {
        let path = plan.folder.join(&difference.path);
        let context = || format!("could not write {}", path.display());
        if difference.expected {
            rename(temporary, plan, difference)?;
        } else if difference.state == State::Stale {
            std::fs::remove_file(&path).with_context(context)?;
            remove_empty_folders(&plan.folder, &path);
        }
    }
    list.iter()
        .try_for_each(|difference| rename(temporary, plan, difference))
}

fn rename(temporary: &Path, plan: &Plan<'_>, difference: &Difference) -> Result<()> {
    let path = plan.folder.join(&difference.path);
    let context = || format!("could not write {}", path.display());
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).with_context(context)?;
    }
    std::fs::rename(temporary.join(plan.name).join(&difference.path), &path).with_context(context)
}

/// Removes the folders above a deleted file that it leaves empty; one that is not empty refuses by itself.
fn remove_empty_folders(root: &Path, deleted: &Path) {
    let parents = deleted.ancestors().skip(1).take_while(|parent| *parent != root);
    for parent in parents {
        if std::fs::remove_dir(parent).is_err() {
            return;
        }
    }
}

/// Removes what a killed run left.
fn remove_leftovers(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(|name| name.strip_prefix(".gen-tmp-")) else {
            continue;
        };
        if !Path::new("/proc").join(owner).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn say(out: &mut impl std::io::Write, plan: &Plan<'_>, quiet: bool) -> Result<()> {
    let (mut written, mut removed) = (0, 0);
    for difference in &plan.differences {
        let shown = format!("{}/{}", plan.shown, difference.path);
        match (difference.expected, difference.state) {
            (true, State::Edited) => {
                written += 1;
                writeln!(out, "overwrote {shown}: it had been edited by hand")?;
            }
            (true, _) => written += 1,
            (false, State::Stale) => removed += 1,
            (false, State::Edited) => writeln!(out, "kept {shown}: gen no longer makes it, but it was edited by hand")?,
            (false, _) => writeln!(out, "kept {shown}: gen did not write it")?,
        }
    }
    if !quiet {
        writeln!(
            out,
            "{}: {} files, {written} written, {removed} removed",
            plan.shown,
            plan.tree.len()
        )?;
    }
    Ok(())
}
