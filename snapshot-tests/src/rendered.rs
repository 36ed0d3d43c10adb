//! What `charts/taskflow-service` renders for each release, as committed under [`FOLDER`] for reviewers.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::environments::{self, Environment};

/// Where the rendered files are committed, from the root of the checkout.
pub const FOLDER: &str = "snapshot-tests/rendered";

/// The chart that every service is released with, from the root of the checkout.
pub const CHART: &str = "charts/taskflow-service";

/// A `HelmRelease` of one of our services, as Flux would read it.
#[derive(Clone, Debug)]
pub struct Release {
    /// The environment that it belongs to.
    pub environment: String,
    /// The minor version of the Kubernetes that it is rendered for.
    pub kubernetes: String,
    /// The folder's name under `50-apps`.
    pub service: String,
    /// Helm's name of the release.
    pub name: String,
    /// The namespace that it is installed in.
    pub namespace: String,
    /// `.spec.values`, as JSON (which is YAML).
    pub values: Value,
}

impl Release {
    /// Where the rendered file is committed, from the root of the checkout.
    pub fn path(&self) -> String {
        format!("{FOLDER}/{}/{}.yaml", self.environment, self.service)
    }
}

/// The releases of our services in an environment, by service.
pub fn releases(environment: &Environment) -> Result<Vec<Release>> {
    let mut releases = Vec::new();
    for folder in environments::folders(&environment.folder.join("50-apps"))? {
        for file in environments::yaml_files(&folder)? {
            for object in environments::documents(&file)? {
                if object["kind"] == "HelmRelease" {
                    let service = folder.file_name().context("a folder has a name")?;
                    releases.push(
                        release(environment, &service.to_string_lossy(), &object)
                            .with_context(|| format!("{}", file.display()))?,
                    );
                }
            }
        }
    }
    if releases.is_empty() {
        bail!("{} releases nothing", environment.folder.display());
    }
    Ok(releases)
}

/// The names follow Flux's defaults: the release is `[targetNamespace-]name`, in the target or the object's namespace.
fn release(environment: &Environment, service: &str, object: &Value) -> Result<Release> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").context("no name")?;
    let own_namespace = text("/metadata/namespace").context("no namespace")?;
    let target = text("/spec/targetNamespace");
    let default_name = target.map_or_else(|| name.to_owned(), |target| format!("{target}-{name}"));
    Ok(Release {
        environment: environment.name.clone(),
        kubernetes: environment.kubernetes.clone(),
        service: service.to_owned(),
        name: text("/spec/releaseName").map_or(default_name, str::to_owned),
        namespace: target.unwrap_or(own_namespace).to_owned(),
        values: object.pointer("/spec/values").context("no inline values")?.clone(),
    })
}

/// Renders every release with a real helm: path from the root of the checkout → text.
pub fn render(root: &Path, helm: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for environment in environments::all(root)? {
        for release in releases(&environment)? {
            let mut text = format!(
                "# rendered by `cargo xtask render` from {CHART} and clusters/{}/50-apps/{}; never applied\n",
                release.environment, release.service
            );
            text.push_str(&template(root, helm, &release)?);
            if files.insert(release.path(), text).is_some() {
                bail!("two releases render {}", release.path());
            }
        }
    }
    Ok(files)
}

fn template(root: &Path, helm: &Path, release: &Release) -> Result<String> {
    helm_with_values(
        Command::new(helm)
            .current_dir(root)
            .args(["template", &release.name, CHART])
            .args(["--namespace", &release.namespace])
            .args(["--kube-version", &release.kubernetes])
            .args(["--values", "-"]),
        &release.values,
    )
    .with_context(|| format!("helm template of {}", release.path()))
}

/// `helm lint --strict` of the chart with the values of a release; its output.
pub fn lint(root: &Path, helm: &Path, release: &Release) -> Result<String> {
    helm_with_values(
        Command::new(helm)
            .current_dir(root)
            .args(["lint", "--strict", CHART])
            .args(["--namespace", &release.namespace])
            .args(["--kube-version", &release.kubernetes])
            .args(["--values", "-"]),
        &release.values,
    )
    .with_context(|| format!("helm lint for {}", release.path()))
}

/// Runs helm with the values on its standard input; its standard output, or an error with everything that it said.
fn helm_with_values(command: &mut Command, values: &Value) -> Result<String> {
    let mut helm = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("could not start helm")?;
    helm.stdin
        .take()
        .context("standard input is piped")?
        .write_all(values.to_string().as_bytes())?;
    let output = helm.wait_with_output()?;
    let stdout = String::from_utf8(output.stdout)?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{}:\n{stdout}{stderr}", output.status);
    }
    if !stderr.is_empty() {
        bail!("helm warns:\n{stderr}");
    }
    Ok(stdout)
}

/// The files that are committed: path from the root of the checkout → text.
pub fn committed(root: &Path) -> Result<BTreeMap<String, String>> {
    let folder = root.join(FOLDER);
    let mut files = BTreeMap::new();
    if !folder.exists() {
        return Ok(files);
    }
    for path in environments::yaml_files(&folder)? {
        let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
        files.insert(name, fs::read_to_string(&path)?);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(spec: &Value) -> (String, String) {
        let environment = Environment {
            name: "oke".into(),
            folder: "clusters/oke".into(),
            kubernetes: "1.34".into(),
        };
        let metadata = json!({"name": "audit", "namespace": "taskflow"});
        let object = json!({"metadata": metadata, "spec": spec});
        let release = release(&environment, "audit", &object).unwrap();
        (release.name, release.namespace)
    }

    #[test]
    fn a_release_is_named_as_flux_names_it() {
        let expect = |name: &str, namespace: &str| (name.to_owned(), namespace.to_owned());
        assert_eq!(named(&json!({"values": {}})), expect("audit", "taskflow"));
        assert_eq!(
            named(&json!({"values": {}, "targetNamespace": "apps"})),
            expect("apps-audit", "apps")
        );
        assert_eq!(
            named(&json!({"values": {}, "targetNamespace": "apps", "releaseName": "a"})),
            expect("a", "apps")
        );
    }
}
