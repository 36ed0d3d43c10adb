//! What is released: `environments/<env>.lock.yaml`.

use super::codes;
use super::document;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Image digests by service. Written by the release workflow, never by hand; no digest is ever invented.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lock {
    /// The commit that the images were built from; `None` until something is released.
    pub source_commit: Option<String>,
    /// Service → `sha256:` and 64 hexadecimal digits.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
}

/// Reads a lock.
///
/// # Errors
/// What cannot be read, and digests that are none.
pub fn parse(source: &Source) -> Result<Lock, Vec<Diagnostic>> {
    let tree = document::read(source)?;
    let lock: Lock = serde_json::from_value(tree.to_json()).map_err(|error| {
        vec![
            Diagnostic::error(
                codes::LOCK,
                &source.path,
                tree.span.clone(),
                format!("the lock cannot be read: {error}"),
            )
            .fix("it has `sourceCommit` and `images: { <service>: sha256:<64 hexadecimal digits> }`"),
        ]
    })?;
    let problems: Vec<Diagnostic> = lock
        .images
        .iter()
        .filter(|(_, digest)| !is_digest(digest))
        .map(|(service, digest)| {
            let place = tree.nearest_span(&format!("/images/{service}"));
            Diagnostic::error(
                codes::LOCK,
                &source.path,
                place,
                format!("`{digest}` is not an image digest"),
            )
            .reason("a tag can be moved; only a digest says what runs")
            .fix("write `sha256:` and 64 hexadecimal digits, as the registry reported them")
        })
        .collect();
    if problems.is_empty() { Ok(lock) } else { Err(problems) }
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}
