//! A release works on the schema of the next one: whatever it asks still means the same to the database.
//!
//! `contracts/queries/<version>.json` holds the queries of a release as sqlx described them. The newest one is the
//! release that runs while this one migrates.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, SqlSafeStr as _};

use crate::migrated::{self, read, root};

/// The recorded releases, oldest first, by the numbers of their versions.
fn recorded() -> BTreeMap<Vec<u64>, String> {
    let files = fs::read_dir(root().join("contracts/queries")).expect("the folder is committed");
    let names = files.map(|file| file.expect("it can be listed").file_name().display().to_string());
    let versions = names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()));
    let numbers = |version: &str| {
        version
            .split('.')
            .map(|it| it.parse().expect("a version has numbers"))
            .collect()
    };
    versions.map(|version| (numbers(&version), version)).collect()
}

/// What a release asked: each query with its description, and those that were made at run time.
fn last_release() -> Value {
    let releases = recorded();
    let (_, newest) = releases.last_key_value().expect("a release is recorded");
    serde_json::from_str(&read(format!("contracts/queries/{newest}.json"))).expect("it is JSON")
}

/// Every query of the release that does not mean what it meant, and why.
async fn broken(connection: &mut PgConnection, release: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for query in release["queries"].as_array().expect("queries are listed") {
        let text = query["query"].as_str().expect("a query has its text");
        let now = connection.describe(AssertSqlSafe(text.to_owned()).into_sql_str()).await;
        let wrong = match now {
            Ok(now) => difference(&query["describe"], &json!(now)),
            Err(error) => Some(error.to_string()),
        };
        broken.extend(wrong.map(|wrong| format!("{wrong}: {text}")));
    }
    for query in release["at_run_time"].as_array().expect("queries are listed") {
        let text = query.as_str().expect("a query is text");
        let prepared = connection.prepare(AssertSqlSafe(text.to_owned()).into_sql_str()).await;
        broken.extend(prepared.err().map(|error| format!("{error}: {text}")));
    }
    broken
}

/// What differs in a way that whoever asks can notice. Null where there was none is worse; the reverse is not.
fn difference(then: &Value, now: &Value) -> Option<String> {
    if then["parameters"] != now["parameters"] {
        return Some(format!(
            "parameters were {}, are {}",
            then["parameters"], now["parameters"]
        ));
    }
    let columns = |it: &Value| -> Vec<(Value, Value)> {
        let columns = it["columns"].as_array().into_iter().flatten();
        columns
            .map(|column| (column["name"].clone(), column["type_info"].clone()))
            .collect()
    };
    if columns(then) != columns(now) {
        return Some(format!("columns were {:?}, are {:?}", columns(then), columns(now)));
    }
    let nulls = then["nullable"].as_array().into_iter().flatten();
    let nulls = nulls.zip(now["nullable"].as_array().into_iter().flatten());
    let mut appeared = nulls
        .enumerate()
        .filter(|(_, (then, now))| **then == json!(false) && **now != json!(false));
    appeared
        .next()
        .map(|(column, _)| format!("column {column} was never null, and may be now"))
}

#[tokio::test]
async fn the_last_release_works_on_the_schema_of_this_one() {
    let database = migrated::database().await;
    let mut connection = migrated::connection(&database).await;
    let release = last_release();
    assert!(release["queries"].as_array().is_some_and(|all| all.len() > 40));
    let broken = broken(&mut connection, &release).await;
    assert!(
        broken.is_empty(),
        "the last release would fail:\n{}",
        broken.join("\n\n")
    );
}

#[tokio::test]
async fn what_takes_something_from_the_last_release_is_found() {
    let release = last_release();
    for (change, expected) in [
        (
            "alter table chat.task rename column title to name",
            "column \"title\" does not exist",
        ),
        (
            "alter table chat.profile drop column channels",
            "column \"channels\" does not exist",
        ),
        (
            "alter table audit.chain alter column user_id type varchar(255)",
            "Varchar",
        ),
        (
            "alter table chat.profile alter column language drop not null",
            "was never null",
        ),
        ("alter table chat.outbox rename column payload to value", "chat.outbox"),
        ("drop table recurring.inbox", "recurring.inbox"),
    ] {
        let database = migrated::database().await;
        let mut connection = migrated::connection(&database).await;
        connection
            .execute(change)
            .await
            .unwrap_or_else(|error| panic!("{change}: {error}"));
        let broken = broken(&mut connection, &release).await;
        assert!(broken.iter().any(|it| it.contains(expected)), "{change}: {broken:#?}");
    }
    // What only adds takes nothing.
    let database = migrated::database().await;
    let mut connection = migrated::connection(&database).await;
    let added = connection.execute("alter table chat.task add column colour text").await;
    added.expect("a column can be added");
    assert_eq!(broken(&mut connection, &release).await, Vec::<String>::new());
}

#[test]
fn a_recorded_release_never_changes() {
    let ledger = read("contracts/queries/released.txt");
    let ledger: BTreeMap<&str, &str> = ledger.lines().filter_map(|line| line.split_once(' ')).collect();
    for version in recorded().into_values() {
        let digest = digest(&read(format!("contracts/queries/{version}.json")));
        assert_eq!(ledger.get(version.as_str()), Some(&digest.as_str()), "{version}");
    }
}

/// SHA-256, the first eight bytes.
fn digest(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let first = Sha256::digest(text.as_bytes())[..8]
        .try_into()
        .expect("a digest has 32 bytes");
    format!("{:016x}", u64::from_be_bytes(first))
}

/// The list of what is made at run time is what the sources make.
#[test]
fn queries_made_at_run_time_are_those_of_the_sources() {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sources = ["crates/outbox/src", "crates/event-bus/src"].map(|folder| source(&root().join(folder)));
    let sources = sources.concat();
    let listed = read("contracts/queries/at-run-time.sql");
    let mut found = 0;
    for statement in statements(&listed).filter(|it| !it.contains("chat.task")) {
        let made = |schema: &str, hole: &str| plain(&statement.replace(schema, hole));
        let forms = [("chat.", "{}."), ("recurring.", "{}."), ("recurring.", "{0}.")];
        let forms = forms.map(|(schema, hole)| made(schema, hole));
        assert!(
            forms.iter().any(|form| plain(&sources).contains(form)),
            "nobody makes: {statement}"
        );
        found += 1;
    }
    assert_eq!(
        found,
        sources.matches("query(AssertSqlSafe").count()
            + sources.matches("_scalar(AssertSqlSafe").count()
            + sources.matches("_as(AssertSqlSafe").count(),
        "a query is not listed"
    );
}

/// The statements of a file, without its comments.
fn statements(file: &str) -> impl Iterator<Item = String> {
    let lines = file.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    let statements: Vec<_> = text
        .split(";\n")
        .map(|it| it.trim().trim_end_matches(';').to_owned())
        .collect();
    statements.into_iter().filter(|statement| !statement.is_empty())
}

fn source(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            text += &source(&path);
        } else {
            text += &fs::read_to_string(&path).expect("it is text");
        }
    }
    text
}
