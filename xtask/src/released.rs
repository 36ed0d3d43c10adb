//! `contracts/queries/`: what a release asks its database, recorded once, so that a test can ask it of later schemas.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::tools::folder::digits;
use crate::workspace;

const FOLDER: &str = "contracts/queries";

/// Records these files of `.sqlx` and what is listed as made at run time. A release is recorded once.
pub(crate) fn record<'a>(version: &str, queries: impl Iterator<Item = &'a Vec<u8>>) -> Result<()> {
    let numbers: Vec<_> = version.split('.').collect();
    let is_version = numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u64>().is_ok());
    ensure!(is_version, "`{version}` is no version such as 1.2.3");
    let folder = workspace::root().join(FOLDER);
    let file = folder.join(format!("{version}.json"));
    if file.exists() {
        bail!("{version} is recorded already, and what was released does not change");
    }
    let queries = queries.map(|file| query(file)).collect::<Result<Vec<_>>>()?;
    let at_run_time = fs::read_to_string(folder.join("at-run-time.sql")).context("could not read at-run-time.sql")?;
    let release = json!({ "queries": queries, "at_run_time": statements(&at_run_time) });
    let text = serde_json::to_string_pretty(&release)? + "\n";
    fs::write(&file, &text).with_context(|| format!("could not write {}", file.display()))?;
    let ledger = folder.join("released.txt");
    let digest = digits(&Sha256::digest(&text));
    let lines = fs::read_to_string(&ledger).unwrap_or_default();
    fs::write(&ledger, format!("{lines}{version} {digest}\n"))?;
    println!("{} queries of {version} in {FOLDER}", queries.len());
    Ok(())
}

/// A file of `.sqlx`, without what only sqlx needs.
fn query(file: &[u8]) -> Result<Value> {
    let mut query: Value = serde_json::from_slice(file).context("a file of .sqlx is no JSON")?;
    let described = query["describe"]["columns"].as_array_mut();
    for column in described.into_iter().flatten() {
        // Where a column comes from is no matter of whoever reads it.
        column.as_object_mut().map(|it| it.remove("origin"));
    }
    Ok(json!({ "query": query["query"], "describe": query["describe"] }))
}

/// The statements of a file, without its comments.
fn statements(file: &str) -> Vec<String> {
    let lines: Vec<_> = file.lines().filter(|line| !line.starts_with("--")).collect();
    let text = lines.join("\n");
    let statements = text.split(";\n").map(|it| it.trim().trim_end_matches(';').to_owned());
    statements.filter(|statement| !statement.is_empty()).collect()
}
