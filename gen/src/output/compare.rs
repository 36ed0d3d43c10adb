//! Three-way comparison: what should be there, what is there, and what gen last wrote.

use super::{OWNED, Owned, Tree, sha256};
use std::collections::BTreeMap;
use std::fmt;

/// What stands at a path on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A plain file with these bytes.
    File(Vec<u8>),
    /// A symbolic link, a socket, a device: nothing that gen would ever write.
    Other(&'static str),
}

/// How a file differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// gen wrote it, somebody changed it.
    Edited,
    /// gen wrote it, the spec or gen changed since.
    Stale,
    /// It should be there.
    Missing,
    /// gen did not write it, and would not.
    Foreign,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Edited => "edited",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
        })
    }
}

/// One file that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Path below the environment's folder.
    pub path: String,
    /// How it differs.
    pub state: State,
    /// Whether a file should be there at all.
    pub expected: bool,
}

/// Every difference, by path.
pub fn compare(expected: &Tree, found: &BTreeMap<String, Found>) -> Vec<Difference> {
    let owned = match found.get(OWNED) {
        Some(Found::File(bytes)) => std::str::from_utf8(bytes)
            .ok()
            .and_then(Owned::from_text)
            .unwrap_or_default(),
        _ => Owned::default(),
    };
    let as_written = |path: &str, bytes: &[u8]| owned.files.get(path).is_some_and(|file| file.sha256 == sha256(bytes));
    let mut differences = Vec::new();
    for (path, text) in expected {
        let state = match found.get(path) {
            None => State::Missing,
            Some(Found::File(bytes)) if bytes == text.as_bytes() => continue,
            // The list itself is stale when it is whole, and edited when it is not.
            Some(Found::File(_)) if path == OWNED && owned != Owned::default() => State::Stale,
            Some(Found::File(bytes)) if as_written(path, bytes) => State::Stale,
            Some(Found::File(_)) if owned.files.contains_key(path) || path == OWNED => State::Edited,
            Some(Found::File(_) | Found::Other(_)) => State::Foreign,
        };
        differences.push(Difference {
            path: path.clone(),
            state,
            expected: true,
        });
    }
    for (path, there) in found {
        if expected.contains_key(path) {
            continue;
        }
        let state = match there {
            Found::File(bytes) if as_written(path, bytes) => State::Stale,
            Found::File(_) if owned.files.contains_key(path) => State::Edited,
            _ => State::Foreign,
        };
        differences.push(Difference {
            path: path.clone(),
            state,
            expected: false,
        });
    }
    differences.sort();
    differences
}
