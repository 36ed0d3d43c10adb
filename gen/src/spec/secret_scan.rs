//! A spec is committed: a secret's value must not stand in it.

use super::codes;
use super::document::{Node, Value};
use crate::diagnostic::Diagnostic;

/// Text that looks like a secret's value, anywhere in the tree.
pub(super) fn scan(tree: &Node, path: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    visit(tree, None, path, &mut found);
    found
}

fn visit(node: &Node, key: Option<&str>, path: &str, found: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                visit(&entry.node, Some(&entry.key), path, found);
            }
        }
        Value::List(items) => items.iter().for_each(|item| visit(item, key, path, found)),
        Value::String(text) => {
            if let Some(what) = secret(text).or_else(|| key.and_then(|key| named_secret(key, text))) {
                found.push(
                    // The value itself is not repeated: diagnostics are printed in public logs.
                    Diagnostic::error(
                        codes::SECRET_VALUE,
                        path,
                        node.span.clone(),
                        format!("{what} stands in the spec"),
                    )
                    .reason("this file is committed; whatever stands in it must be changed, also after it is removed")
                    .fix("put the value into the vault (or a SOPS file under secrets/) and name the secret here"),
                );
            }
        }
        _ => {}
    }
}

fn secret(text: &str) -> Option<&'static str> {
    const PREFIXES: [(&str, &str); 9] = [
        ("-----BEGIN", "a private key or certificate"),
        ("AGE-SECRET-KEY-", "an age key"),
        ("ghp_", "a GitHub token"),
        ("github_pat_", "a GitHub token"),
        ("xoxb-", "a Slack token"),
        ("AKIA", "an AWS access key"),
        ("eyJhbGciOi", "a signed token"),
        ("npg_", "a Neon password"),
        ("sk_live_", "a payment key"),
    ];
    if let Some((_, what)) = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix)) {
        return Some(what);
    }
    let authority = text
        .split_once("://")
        .map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    match authority.and_then(|a| a.rsplit_once('@')) {
        Some((user, _)) if user.contains(':') => Some("an address with a password"),
        _ => None,
    }
}

fn named_secret(key: &str, text: &str) -> Option<&'static str> {
    let key = key.to_lowercase();
    let names_one = [
        "password",
        "passwd",
        "secretkey",
        "accesskey",
        "apikey",
        "privatekey",
        "token",
        "credential",
    ]
    .iter()
    .any(|word| key.replace(['-', '_'], "").contains(word));
    // `saslPassword: { secret: name }` is a reference; only plain text under such a key is a value.
    (names_one && !text.is_empty()).then_some("a secret's value")
}
