//! squawk has nothing to say about the migrations: none keeps a running release waiting, or takes something from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::setup::{root, run, tool};

#[test]
fn migrations_are_safe_beside_a_running_release() {
    let mut files = Vec::new();
    for service in fs::read_dir(root().join("services")).unwrap() {
        let folder = service.unwrap().path().join("migrations");
        if folder.is_dir() {
            files.extend(fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()));
        }
    }
    files.sort();
    assert!(files.len() >= 3, "{files:?}");
    judge(&files).unwrap_or_else(|error| panic!("{error}"));
}

/// A migration that says `-- no-transaction` builds an index beside those who write; every other one runs in a
/// transaction of its own, where what it makes is used by nobody yet.
fn judge(files: &[PathBuf]) -> Result<(), String> {
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let mut squawk = Command::new(tool("TASKFLOW_SQUAWK"));
        squawk.arg("--config").arg(root().join("services/squawk.toml"));
        if !text.starts_with("-- no-transaction") {
            squawk.arg("--assume-in-transaction");
        }
        run(squawk.args(["--reporter", "gcc"]).arg(file)).succeeded("squawk")?;
    }
    Ok(())
}

/// What a migration does to a table that is there already, and the rule that it breaks.
const UNSAFE: &[(&str, &str)] = &[
    (
        "create index task_title_idx on chat.task (title);",
        "require-concurrent-index-creation",
    ),
    (
        "alter table chat.task add column colour text not null;",
        "adding-required-field",
    ),
    ("alter table chat.task drop column title;", "ban-drop-column"),
    ("alter table chat.task rename column title to name;", "renaming-column"),
    ("alter table chat.task rename to item;", "renaming-table"),
    ("drop table chat.task;", "ban-drop-table"),
    (
        "alter table chat.task alter column priority type bigint;",
        "changing-column-type",
    ),
    (
        "alter table chat.task alter column due_at set not null;",
        "adding-not-nullable-field",
    ),
    (
        "alter table chat.task add constraint task_title_short check (length(title) < 9);",
        "constraint-missing-not-valid",
    ),
    ("create table note (id bigint primary key);", "require-table-schema"),
];

#[test]
fn what_hurts_a_running_release_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for (statement, rule) in UNSAFE {
        let file = write(folder.path(), statement);
        let error = judge(&[file])
            .err()
            .unwrap_or_else(|| panic!("nothing was said about: {statement}"));
        assert!(error.contains(rule), "{statement}: {error}");
    }
}

#[test]
fn what_only_adds_is_let_through() {
    let folder = tempfile::tempdir().unwrap();
    for added in [
        "alter table chat.task add column colour text;",
        "create table chat.note (id bigint not null, constraint note_pkey primary key (id));\ncreate index note_idx on chat.note (id);",
        "-- no-transaction\ncreate index concurrently if not exists task_title_idx on chat.task (title);",
    ] {
        judge(&[write(folder.path(), added)]).unwrap_or_else(|error| panic!("{added}: {error}"));
    }
}

fn write(folder: &Path, statement: &str) -> PathBuf {
    let file = folder.join("0002_change.sql");
    fs::write(&file, format!("{statement}\n")).expect("the folder of the test can be written");
    file
}
