//! kubeconform with the strict JSON schemas of each environment's own Kubernetes version.
//!
//! Only built-in kinds have such schemas; the API server judges the others by their real definitions.

use std::fs;
use std::process::Command;

use serde_json::Value;
use snapshot_tests::environments;
use snapshot_tests::rendered;

use crate::setup::{committed_environments, objects_in, root, run, tool};

#[test]
fn built_in_kinds_fit_the_schemas_of_each_environments_own_version() {
    for environment in committed_environments() {
        let mut objects = objects_in(&environment.folder);
        for release in rendered::releases(&environment).unwrap() {
            objects.extend(environments::documents(&root().join(release.path())).unwrap());
        }
        judge(&environment.kubernetes, &objects).unwrap_or_else(|error| panic!("{}: {error}", environment.name));
    }
}

/// Judges the built-in kinds among the objects; none at all is an error.
fn judge(kubernetes: &str, objects: &[Value]) -> Result<(), String> {
    let schemas = tool("TASKFLOW_KUBERNETES_SCHEMAS").join(kubernetes);
    if !schemas.is_dir() {
        return Err(format!("there are no schemas of Kubernetes {kubernetes}"));
    }
    let built_in: Vec<&Value> = objects.iter().filter(|object| is_built_in(object)).collect();
    if built_in.is_empty() {
        return Err("there is no object of a built-in kind".into());
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    for (index, object) in built_in.iter().enumerate() {
        let name = format!(
            "{index}-{}-{}.json",
            object["kind"].as_str().unwrap_or("no-kind"),
            object["metadata"]["name"].as_str().unwrap_or("no-name")
        );
        fs::write(folder.path().join(name), object.to_string()).map_err(|error| error.to_string())?;
    }
    run(Command::new(tool("TASKFLOW_KUBECONFORM"))
        .args(["-strict", "-summary", "-schema-location"])
        .arg(format!(
            "{}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json",
            schemas.display()
        ))
        .arg(folder.path()))
    .succeeded(&format!("kubeconform, Kubernetes {kubernetes}"))
    .map(drop)
}

/// Kubernetes' own groups have no dot, or end in `.k8s.io`; definitions and Gateway API live there without being
/// built in.
fn is_built_in(object: &Value) -> bool {
    let group = object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'))
        .map_or("", |(group, _)| group);
    !group.contains('.') || (group.ends_with(".k8s.io") && group != "gateway.networking.k8s.io")
}

#[test]
fn a_misspelt_field_and_a_kind_that_the_version_lacks_are_refused() {
    let valid = serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}
    });
    judge("1.34", std::slice::from_ref(&valid)).unwrap();

    let mut misspelt = valid.clone();
    misspelt["dta"] = serde_json::json!({});
    let error = judge("1.34", &[misspelt]).unwrap_err();
    assert!(error.contains("dta"), "{error}");

    let mut removed = valid;
    removed["apiVersion"] = "policy/v1beta1".into();
    removed["kind"] = "PodDisruptionBudget".into();
    let error = judge("1.34", &[removed]).unwrap_err();
    assert!(error.contains("PodDisruptionBudget"), "{error}");

    assert!(judge("1.34", &[]).is_err());
    assert!(judge("1.3", &[]).unwrap_err().contains("no schemas"));
}
