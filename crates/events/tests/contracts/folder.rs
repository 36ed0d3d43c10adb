//! The folder `contracts/events`: written from the types, never edited, and released files never change.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::compatibility::breaking_changes;
use crate::{golden, readme};

const LEDGER: &str = "released.txt";
const LEDGER_HEAD: &str =
    "# Every released file with the digest of its content. Lines are only added: a released file never changes.\n";
const UPDATE: &str = "INSTA_UPDATE=always cargo test -p events --test contracts";

/// The folder; when we are asked to, everything in it is brought up to date first.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/events");
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        update(&folder);
    }
    folder
});

/// What a released file is: the schema of a contract, or golden payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    Schema,
    Golden,
}

/// The released files of one kind, by name.
pub(crate) fn released(kind: Released) -> BTreeMap<String, Value> {
    let golden = |name: &str| name.ends_with(golden::SUFFIX);
    let ledger = ledger(&FOLDER);
    let names = ledger.keys().filter(|name| golden(name) == (kind == Released::Golden));
    names
        .map(|name| {
            let text = read(&FOLDER.join(name));
            (
                name.clone(),
                serde_json::from_str(&text).expect("released files are JSON"),
            )
        })
        .collect()
}

/// The schema that a released file of golden payloads goes with.
pub(crate) fn schema_of(golden_name: &str) -> String {
    golden_name.replace(golden::SUFFIX, ".json")
}

fn current_schemas() -> BTreeMap<String, String> {
    let schemas = events::CONTRACTS.iter();
    schemas.map(|it| (it.file_name(), pretty(&it.schema()))).collect()
}

fn current_golden() -> BTreeMap<String, String> {
    let payloads = events::CONTRACTS.iter().filter_map(|contract| {
        let name = contract.file_name().replace(".json", golden::SUFFIX);
        Some((name, pretty(&golden::payloads(contract)?)))
    });
    payloads.collect()
}

/// Writes what is missing, and the page for people; refuses to touch what is released.
fn update(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut ledger = ledger(folder);
    for (name, text) in current_schemas().into_iter().chain(current_golden()) {
        ledger.entry(name).or_insert_with_key(|name| {
            fs::write(folder.join(name), &text).unwrap();
            digest(&text)
        });
    }
    let lines = ledger.iter().map(|(name, digest)| format!("{name} {digest}\n"));
    let text = [LEDGER_HEAD.to_owned()].into_iter().chain(lines).collect::<String>();
    fs::write(folder.join(LEDGER), text).unwrap();
    fs::write(folder.join("README.md"), readme::page()).unwrap();
}

fn ledger(folder: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder.join(LEDGER)).unwrap_or_default();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let entries = lines.map(|line| line.split_once(' ').expect("a name and a digest"));
    entries
        .map(|(name, digest)| (name.to_owned(), digest.to_owned()))
        .collect()
}

#[test]
fn the_current_schemas_are_released() {
    let released = released(Released::Schema);
    for contract in events::CONTRACTS {
        let (name, version) = (contract.file_name(), contract.version());
        let found = released
            .get(&name)
            .unwrap_or_else(|| panic!("{name} is missing: {UPDATE}"));
        assert!(
            *found == contract.schema(),
            "the schema of {} is no longer that of {version}: raise its minor version, or its major version if the \
             change breaks; then {UPDATE}",
            contract.name,
        );
    }
}

#[test]
fn no_released_file_changes() {
    let ledger = ledger(&FOLDER);
    for (name, digest) in &ledger {
        let now = self::digest(&read(&FOLDER.join(name)));
        assert_eq!(now, *digest, "{name} is released: what has to change is a new version");
    }
    let files = fs::read_dir(&*FOLDER).unwrap().map(|entry| entry.unwrap().file_name());
    let files: BTreeSet<String> = files.map(|name| name.into_string().unwrap()).collect();
    let expected = ledger.into_keys().chain(["README.md".into(), LEDGER.into()]).collect();
    assert_eq!(files, expected, "{LEDGER} names every file");
}

#[test]
fn the_page_for_people_is_current() {
    let page = read(&FOLDER.join("README.md"));
    assert!(page == readme::page(), "contracts/events/README.md is stale: {UPDATE}");
}

#[test]
fn the_current_schemas_break_nothing_that_was_released() {
    let mut compared = 0;
    for contract in events::CONTRACTS {
        let versions = format!("{}.", contract.name);
        for (name, schema) in released(Released::Schema)
            .iter()
            .filter(|(name, _)| name.starts_with(&versions))
        {
            let breaking = breaking_changes(schema, &contract.schema());
            let list: Vec<String> = breaking.iter().map(ToString::to_string).collect();
            assert!(list.is_empty(), "compared to {name}:\n{}", list.join("\n"));
            compared += 1;
        }
    }
    assert!(compared >= events::CONTRACTS.len());
}

fn pretty(value: &Value) -> String {
    format!(
        "{}\n",
        serde_json::to_string_pretty(value).expect("a value can be written")
    )
}

fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    let first = u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"));
    format!("{first:016x}")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}; {UPDATE}", path.display()))
}
