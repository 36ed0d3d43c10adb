//! The environments that are committed: their folders under `clusters/` and the Kubernetes that their spec names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One folder of `clusters/`.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name: that of the folder and of the spec.
    pub name: String,
    /// `clusters/<name>`.
    pub folder: PathBuf,
    /// The minor version of its Kubernetes, as the spec says it: `1.34`.
    pub kubernetes: String,
}

/// Every environment of the checkout, by name. None at all is an error: a judge of nothing proves nothing.
pub fn all(root: &Path) -> Result<Vec<Environment>> {
    let clusters = root.join("clusters");
    let mut environments = Vec::new();
    for folder in folders(&clusters)? {
        let name = file_name(&folder)?;
        let kubernetes = kubernetes_version(root, &name)?;
        environments.push(Environment {
            name,
            folder,
            kubernetes,
        });
    }
    if environments.is_empty() {
        bail!(
            "{} holds no environment: run `cargo run -p gen` first",
            clusters.display()
        );
    }
    Ok(environments)
}

/// The folders in a folder, in order.
pub fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

/// The YAML files in a folder and all below it, in order.
pub fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            files.extend(yaml_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The documents of a YAML file as JSON values; empty documents are left out.
pub fn documents(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let mut documents = Vec::new();
    for document in serde_yaml::Deserializer::from_str(&text) {
        let value: Value =
            serde::Deserialize::deserialize(document).with_context(|| format!("could not parse {}", path.display()))?;
        if !value.is_null() {
            documents.push(value);
        }
    }
    Ok(documents)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .with_context(|| format!("could not list {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect()
}

fn file_name(path: &Path) -> Result<String> {
    path.file_name()
        .and_then(|name| name.to_str())
        .map(str::to_owned)
        .with_context(|| format!("{} has no readable name", path.display()))
}

fn kubernetes_version(root: &Path, environment: &str) -> Result<String> {
    let path = root.join(format!("environments/{environment}.yaml"));
    let spec = documents(&path)?;
    let platform = spec
        .first()
        .and_then(|spec| spec.get("platform"))
        .and_then(Value::as_object);
    platform
        .and_then(|platform| platform.values().next())
        .and_then(|platform| platform.get("kubernetes"))
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("{}: no platform.*.kubernetes", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_environment_is_an_error_and_one_knows_its_kubernetes() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("clusters/README.md", "");
        assert!(
            all(root.path())
                .unwrap_err()
                .to_string()
                .contains("holds no environment")
        );

        write("clusters/oke/owned.json", "{}");
        write("environments/oke.yaml", "platform: { oke: { kubernetes: \"1.34\" } }\n");
        let environments = all(root.path()).unwrap();
        assert_eq!(environments.len(), 1);
        assert_eq!(environments[0].kubernetes, "1.34");
    }
}
