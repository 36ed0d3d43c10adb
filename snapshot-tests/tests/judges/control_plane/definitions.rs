//! The projects' resource definitions: which files define the kinds that are needed. All of them together take as long
//! to install as everything else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use snapshot_tests::environments;

/// Group and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    group: String,
    kind: String,
}

impl Kind {
    /// The kind of an object.
    pub(crate) fn of(object: &Value) -> Self {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        Self {
            group: version.split_once('/').map_or("", |(group, _)| group).into(),
            kind: object["kind"].as_str().unwrap_or_default().into(),
        }
    }

    /// Parsing all of them, up to a megabyte each, would take longer than everything else: words are enough, and one
    /// definition too many does no harm.
    fn is_defined_in(&self, file: &str) -> bool {
        let words: Vec<&str> = file
            .split(|c: char| c.is_whitespace() || "\"',:{}[]".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        let has = |key: &str, value: &str| words.windows(2).any(|pair| pair == [key, value]);
        has("group", &self.group) && has("kind", &self.kind)
    }
}

/// The files that define these kinds. Built-in kinds have none; a kind that nobody defines is found by the server.
pub(super) fn of(kinds: &BTreeSet<Kind>, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut needed = Vec::new();
    for path in environments::yaml_files(folder).map_err(|error| format!("{error:#}"))? {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        if kinds.iter().any(|kind| kind.is_defined_in(&text)) {
            needed.push(path);
        }
    }
    Ok(needed)
}

#[test]
fn definitions_are_found_in_yaml_and_in_json() {
    let topic = Kind::of(&serde_json::json!({"apiVersion": "kafka.strimzi.io/v1", "kind": "KafkaTopic"}));
    let json = r#"{"spec":{"group":"kafka.strimzi.io","names":{"kind":"KafkaTopic"}}}"#;
    assert!(topic.is_defined_in(json));
    assert!(topic.is_defined_in("spec:\n  group: kafka.strimzi.io\n  names:\n    kind: KafkaTopic\n"));
    assert!(!topic.is_defined_in("spec:\n  group: kafka.strimzi.io\n  names:\n    kind: KafkaUser\n"));
}
