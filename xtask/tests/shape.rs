//! The shape of the workspace, as sentences that can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What each package may depend on inside the workspace, beyond what it is tested with. A package that is not named
/// here fails the test: a new edge is a decision, and this is where it is written down.
const ALLOWED: &[(&str, &[&str])] = &[
    ("audit", &["catalogue", "event-bus", "events", "metrics", "service-kit"]),
    (
        "benches",
        &["catalogue", "event-bus", "events", "metrics", "outbox", "test-kit"],
    ),
    ("catalogue", &[]),
    (
        "chat-api",
        &[
            "catalogue",
            "domain",
            "event-bus",
            "events",
            "metrics",
            "outbox",
            "service-kit",
        ],
    ),
    (
        "dlq-monitor",
        &["catalogue", "event-bus", "events", "metrics", "outbox", "service-kit"],
    ),
    ("domain", &[]),
    ("event-bus", &["catalogue", "events", "kafka-settings", "metrics"]),
    ("events", &["catalogue", "domain"]),
    ("gen", &["catalogue"]),
    ("kafka-settings", &[]),
    ("metrics", &["catalogue"]),
    (
        "notification",
        &[
            "catalogue",
            "domain",
            "event-bus",
            "events",
            "metrics",
            "outbox",
            "service-kit",
        ],
    ),
    ("outbox", &["catalogue", "event-bus", "events", "metrics"]),
    (
        "recurring-tasks",
        &["catalogue", "domain", "event-bus", "events", "metrics", "service-kit"],
    ),
    ("service-kit", &["catalogue", "kafka-settings", "metrics"]),
    ("snapshot-tests", &[]),
    ("system-tests", &["catalogue", "test-kit"]),
    ("test-kit", &["catalogue"]),
    (
        "websocket",
        &[
            "catalogue",
            "event-bus",
            "events",
            "kafka-settings",
            "metrics",
            "service-kit",
        ],
    ),
    ("xtask", &["snapshot-tests"]),
];

/// What only tests may additionally use.
const ALLOWED_IN_TESTS: &[(&str, &[&str])] = &[
    ("audit", &["event-bus", "test-kit"]),
    ("chat-api", &["event-bus", "test-kit"]),
    ("dlq-monitor", &["event-bus", "test-kit"]),
    ("event-bus", &["test-kit"]),
    ("notification", &["event-bus", "test-kit"]),
    ("outbox", &["test-kit"]),
    ("recurring-tasks", &["event-bus", "test-kit"]),
    ("service-kit", &["test-kit"]),
    ("snapshot-tests", &["catalogue", "gen"]),
    ("system-tests", &["event-bus"]),
    ("websocket", &["event-bus", "test-kit"]),
];

type Edges = BTreeMap<String, BTreeSet<String>>;

#[test]
fn dependencies_point_inward() {
    let (edges, test_edges) = edges(&metadata());
    let wrong = [wrong_edges(&edges, ALLOWED), wrong_edges(&test_edges, ALLOWED_IN_TESTS)].concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let named: BTreeSet<&str> = ALLOWED.iter().map(|(package, _)| *package).collect();
    let present: BTreeSet<&str> = edges.keys().map(String::as_str).collect();
    assert_eq!(named, present, "ALLOWED names every package of the workspace");
}

#[test]
fn an_edge_outward_is_found() {
    let edges = Edges::from([("catalogue".into(), ["gen".into()].into())]);
    assert_eq!(wrong_edges(&edges, ALLOWED), ["`catalogue` must not depend on `gen`"]);
}

fn wrong_edges(edges: &Edges, allowed: &[(&str, &[&str])]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (package, dependencies) in edges {
        let allowed = allowed
            .iter()
            .find(|(name, _)| name == package)
            .map_or(&[][..], |(_, allowed)| allowed);
        for dependency in dependencies {
            if !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("`{package}` must not depend on `{dependency}`"));
            }
        }
    }
    wrong
}

/// The edges between packages of the workspace: those of the code, and those of its tests only.
fn edges(metadata: &Value) -> (Edges, Edges) {
    let packages = list(&metadata["packages"]);
    let names: BTreeSet<&str> = packages.iter().map(name).collect();
    let (mut edges, mut test_edges) = (Edges::new(), Edges::new());
    for package in packages {
        edges.entry(name(package).to_owned()).or_default();
        for dependency in list(&package["dependencies"]) {
            if names.contains(name(dependency)) {
                let edges = if dependency["kind"] == "dev" {
                    &mut test_edges
                } else {
                    &mut edges
                };
                edges
                    .entry(name(package).to_owned())
                    .or_default()
                    .insert(name(dependency).to_owned());
            }
        }
    }
    (edges, test_edges)
}

fn name(value: &Value) -> &str {
    value["name"].as_str().expect("cargo names packages and dependencies")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("cargo lists them")
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs us");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies inside the workspace")
        .to_owned()
}

#[test]
fn doc_pointers_exist() {
    let root = root();
    let mut broken = Vec::new();
    for document in documents(&root) {
        let text = std::fs::read_to_string(&document).unwrap();
        for pointer in pointers(&text) {
            let beside = document.parent().unwrap().join(&pointer);
            if !root.join(&pointer).exists() && !beside.exists() {
                let document = document.strip_prefix(&root).unwrap().display();
                broken.push(format!("{document} names `{pointer}`, which is not there"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pointers_are_links_and_quoted_paths() {
    let text = "See [the map](ARCHITECTURE.md#map), `gen/src/lib.rs`, `environments/<env>.yaml`, `cargo test`, \
                [out](https://example.org/a) and `clusters/*/README.md`; `and/or` is no path.";
    assert_eq!(pointers(text), ["ARCHITECTURE.md", "gen/src/lib.rs"]);
}

/// The documents for people: those in the root, and everything under `docs/`.
fn documents(root: &Path) -> Vec<PathBuf> {
    let mut documents = markdown_files(root, false);
    documents.extend(markdown_files(&root.join("docs"), true));
    documents
}

fn markdown_files(folder: &Path, deep: bool) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return files;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && deep {
            files.extend(markdown_files(&path, deep));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The paths that a text points to: targets of relative links, and code spans that look like a path of this
/// repository (they have a slash and begin with a folder of its root). Patterns with `<…>` or `*` are not paths.
fn pointers(text: &str) -> Vec<String> {
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '<']))
        .map(|target| target.split('#').next().unwrap_or(target));
    let spans = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| looks_like_a_path(span));
    links
        .chain(spans)
        .map(|pointer| pointer.trim_end_matches('/').to_owned())
        .collect()
}

fn looks_like_a_path(span: &str) -> bool {
    const FOLDERS: &[&str] = &[
        ".ci",
        ".github",
        "charts",
        "clusters",
        "contracts",
        "crates",
        "docs",
        "environments",
        "gen",
        "services",
        "snapshot-tests",
        "system-tests",
        "tools",
        "xtask",
    ];
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    span.chars().all(plain)
        && span
            .split_once('/')
            .is_some_and(|(folder, _)| FOLDERS.contains(&folder))
}

/// Flux rebuilds a chart only when its version rises: an edit under an old version would be ignored in every cluster.
#[test]
fn a_changed_chart_has_a_new_version() {
    let charts = root().join("charts");
    let chart: Value = serde_yaml::from_str(&read(&charts.join("taskflow-service/Chart.yaml"))).unwrap();
    let now = format!(
        "taskflow-service {} {}",
        chart["version"].as_str().unwrap(),
        digest_of_chart(&charts.join("taskflow-service"))
    );
    let ledger = read(&charts.join("versions.txt"));
    let lines: Vec<&str> = ledger.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        lines.last().copied(),
        Some(now.as_str()),
        "the chart changed: raise `version` in Chart.yaml, then append its line to charts/versions.txt: {now}"
    );
    let versions: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(
        versions.len(),
        lines.len(),
        "a version of charts/versions.txt is there twice"
    );
}

/// A digest over what Helm packs: not the page for people, not the samples.
fn digest_of_chart(chart: &Path) -> String {
    let mut files = Vec::new();
    collect(chart, &mut files);
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let name = file
            .strip_prefix(chart)
            .expect("it was found there")
            .display()
            .to_string();
        if name != "README.md" && !name.starts_with("ci/") {
            hasher.update(format!("{name}\0{}\0", read(&file)));
        }
    }
    let digest = hasher.finalize();
    let first = u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"));
    format!("{first:016x}")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the chart can be listed") {
        let path = entry.expect("the chart can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
