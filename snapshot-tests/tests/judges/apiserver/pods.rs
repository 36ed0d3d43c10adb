//! The Pods that a stage's workloads would make, shown to the API server without being kept.
//!
//! Pod Security, priority classes and limit ranges are enforced on Pods only: a Deployment whose Pods can never be
//! created is accepted.

use serde_json::{Value, json};

use super::Stage;
use crate::control_plane::ControlPlane;

/// Dry-runs every Pod of a stage, and the hook Jobs and Pods that are not applied.
pub(super) fn judge(control_plane: &ControlPlane, stage: &Stage) -> Result<(), String> {
    let mut shown: Vec<Value> = stage.objects.iter().filter_map(pod).collect();
    shown.extend(
        stage
            .objects
            .iter()
            .filter(|object| object["kind"] == "Job" || object["kind"] == "Pod")
            .cloned(),
    );
    if shown.is_empty() {
        return Ok(());
    }
    control_plane.dry_run(&format!("{} (Pods)", stage.name), stage.namespace.as_deref(), &shown)
}

/// The Pod that a workload would make.
fn pod(workload: &Value) -> Option<Value> {
    let template = match workload["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => &workload["spec"]["template"],
        "CronJob" => &workload["spec"]["jobTemplate"]["spec"]["template"],
        _ => return None,
    };
    let mut metadata = template["metadata"].clone();
    if !metadata.is_object() {
        metadata = json!({});
    }
    let name = workload["metadata"]["name"].as_str()?;
    metadata["name"] = json!(format!("{name}-judged"));
    metadata["namespace"] = workload["metadata"]["namespace"].clone();
    let mut spec = template["spec"].clone();
    // The controller gives each Pod a volume per claim; here an empty one stands for it.
    for claim in workload["spec"]["volumeClaimTemplates"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let volume = json!({ "name": claim["metadata"]["name"], "emptyDir": {} });
        match spec["volumes"].as_array_mut() {
            Some(volumes) => volumes.push(volume),
            None => spec["volumes"] = json!([volume]),
        }
    }
    Some(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": spec,
    }))
}
