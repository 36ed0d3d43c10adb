//! `.sqlx/`: what each query of the services means to PostgreSQL, so that they compile without a server.
//!
//! It is what sqlx's macros write while they compile against a migrated database. `cargo sqlx prepare` would do the
//! same, but marks every source file as changed, which makes each run of the tests a build of all services.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::engines::{self, Engines, Held};
use crate::{commands, released, workspace};

const FOLDER: &str = ".sqlx";

/// `cargo xtask sqlx`: writes the folder anew, and records it for a release.
pub(crate) fn run(release: Option<&str>) -> Result<()> {
    let engines = Engines::start(engines::build_alone().arg("--bins"))?;
    let folder = workspace::root().join(FOLDER);
    describe_queries(&engines, &folder)?;
    let queries = files(&folder)?;
    println!("{} queries in {FOLDER}", queries.len());
    release.map_or(Ok(()), |version| released::record(version, queries.values()))
}

/// Fails when the folder does not hold what the queries mean now. Needs test-kit's programs built.
pub(crate) fn check(engines: &Engines) -> Result<()> {
    let fresh = workspace::target()?.join("sqlx").join("queries");
    describe_queries(engines, &fresh)?;
    let (fresh, committed) = (files(&fresh)?, files(&workspace::root().join(FOLDER))?);
    if fresh == committed {
        return Ok(());
    }
    let stale = committed.iter().filter(|(name, text)| fresh.get(*name) != Some(text));
    let missing = fresh.keys().filter(|name| !committed.contains_key(*name));
    bail!(
        "{FOLDER} is stale: {} of its files do not say what the queries mean now, and {} are missing; \
         `cargo xtask sqlx` writes it anew",
        stale.count(),
        missing.count()
    )
}

/// Compiles the services against a database with all their migrations, apart from other builds.
fn describe_queries(engines: &Engines, folder: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder); // it may not be there
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let services = services_with_migrations()?;
    if services.is_empty() {
        return Ok(());
    }
    let database = Held::start(
        engines::program("migrated-database")?
            .args(
                services
                    .iter()
                    .map(|name| workspace::root().join("services").join(name)),
            )
            .envs(engines.variables()),
    )?;
    let packages: Vec<_> = services.iter().flat_map(|name| ["--package", name.as_str()]).collect();
    let target = workspace::target()?.join("sqlx");
    eprintln!("sqlx: asking PostgreSQL what the queries mean, usually 30 s, and 3 min the first time …");
    let mut clean = workspace::cargo();
    // The macros run only in what is compiled.
    commands::run_quietly(clean.arg("clean").args(&packages).arg("--target-dir").arg(&target))?;
    let mut check = workspace::cargo();
    check
        .args(["check", "--all-targets"])
        .args(&packages)
        .arg("--target-dir")
        .arg(&target)
        .envs(&database.variables)
        .env("SQLX_OFFLINE", "false")
        .env("SQLX_OFFLINE_DIR", folder);
    commands::run_quietly(&mut check)
}

fn services_with_migrations() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace::root().join("services"))? {
        let entry = entry?;
        if entry.path().join("migrations").is_dir() {
            names.push(entry.file_name().display().to_string());
        }
    }
    names.sort();
    Ok(names)
}

/// Name and bytes of each file; none where there is no folder.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            files.insert(entry.file_name().display().to_string(), fs::read(entry.path())?);
        }
    }
    Ok(files)
}
