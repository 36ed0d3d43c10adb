//! Reads what stands in an environment's folder.

use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::path::Path;
use taskflow_gen::output::Found;

/// Every file below `folder`, by relative path with `/`. A folder that is not there holds nothing. Links are not followed.
pub(crate) fn read(folder: &Path) -> Result<BTreeMap<String, Found>> {
    let mut found = BTreeMap::new();
    match std::fs::symlink_metadata(folder) {
        Ok(metadata) if metadata.is_dir() => walk(folder, "", &mut found)?,
        Ok(_) => {
            found.insert(String::new(), Found::Other("not a folder"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error).with_context(|| format!("could not read {}", folder.display()));
        }
    }
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, Found>) -> Result<()> {
    let context = || format!("could not read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().with_context(context)?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found)?;
        } else if kind.is_file() {
            let bytes =
                std::fs::read(entry.path()).with_context(|| format!("could not read {}", entry.path().display()))?;
            found.insert(path, Found::File(bytes));
        } else {
            found.insert(
                path,
                Found::Other(if kind.is_symlink() {
                    "a symbolic link"
                } else {
                    "no plain file"
                }),
            );
        }
    }
    Ok(())
}
