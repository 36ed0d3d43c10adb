//! The digest of a folder: names and bytes of all files, in order, and the platform that they are built for.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Sixteen hexadecimal digits: a name in a cache, not a defence.
pub(crate) fn digest(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    collect(folder, "", &mut files)?;
    files.sort();
    let mut hasher = Sha256::new();
    hasher.update(format!("{}-{}\n", std::env::consts::OS, std::env::consts::ARCH));
    for name in files {
        let bytes = fs::read(folder.join(&name))?;
        hasher.update(format!("{name} {}\n", bytes.len()));
        hasher.update(bytes);
    }
    Ok(digits(&hasher.finalize()))
}

/// The first sixteen hexadecimal digits of a digest.
pub(crate) fn digits(digest: &[u8]) -> String {
    let mut text = String::new();
    for byte in &digest[..8] {
        write!(text, "{byte:02x}").expect("a String takes everything");
    }
    text
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().display());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}
