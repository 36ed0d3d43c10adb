//! The stages of an environment, in the order in which Flux applies them.

use std::path::Path;

use serde_json::Value;
use snapshot_tests::environments;

/// The folder that holds one stage per service.
const PER_SERVICE: &str = "50-apps";
/// The entry that the controller is pointed at: it is there before all stages, but needs only its own kinds.
const ENTRY: &str = "flux";

/// Objects that are applied together.
pub(super) struct Stage {
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    pub(super) objects: Vec<Value>,
}

impl Stage {
    pub(super) fn new(name: String, objects: Vec<Value>) -> Self {
        Self {
            name,
            namespace: None,
            objects,
        }
    }

    /// Where objects go that do not say it.
    pub(super) fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// What is applied for good, and in which steps: what others live in or are of, then the rest. Jobs and Pods that
    /// are hooks of a release are left out: nobody would run them, and `pods` judges them.
    pub(super) fn steps(&self) -> Vec<Vec<Value>> {
        let (first, second): (Vec<Value>, Vec<Value>) = self
            .objects
            .iter()
            .filter(|object| !is_hook_workload(object))
            .cloned()
            .partition(|object| object["kind"] == "Namespace" || object["kind"] == "CustomResourceDefinition");
        [first, second].into_iter().filter(|step| !step.is_empty()).collect()
    }
}

fn is_hook_workload(object: &Value) -> bool {
    let runs = object["kind"] == "Job" || object["kind"] == "Pod";
    runs && object["metadata"]["annotations"].get("helm.sh/hook").is_some()
}

/// The stages under an environment's folder; no object at all is an error.
pub(super) fn of(environment: &Path) -> Result<Vec<Stage>, String> {
    let folders = |folder: &Path| environments::folders(folder).map_err(|error| format!("{error:#}"));
    let mut paths = Vec::new();
    let mut entry = Vec::new();
    for folder in folders(environment)? {
        if folder.ends_with(PER_SERVICE) {
            paths.extend(folders(&folder)?);
        } else if folder.ends_with(ENTRY) {
            entry.push(folder);
        } else {
            paths.push(folder);
        }
    }
    paths.extend(entry);
    let mut stages = Vec::new();
    for path in paths {
        let name = path.strip_prefix(environment).unwrap_or(&path).display();
        let stage = Stage::new(name.to_string(), objects(&path)?);
        if !stage.objects.is_empty() {
            stages.push(stage);
        }
    }
    if stages.is_empty() {
        return Err(format!("{} holds no object", environment.display()));
    }
    Ok(stages)
}

fn objects(folder: &Path) -> Result<Vec<Value>, String> {
    let mut objects = Vec::new();
    for file in environments::yaml_files(folder).map_err(|error| format!("{error:#}"))? {
        objects.extend(environments::documents(&file).map_err(|error| format!("{error:#}"))?);
    }
    // Kustomize's own configuration is read by kustomize, not by the API server.
    objects.retain(|object| object["apiVersion"] != "kustomize.config.k8s.io/v1beta1");
    Ok(objects)
}
