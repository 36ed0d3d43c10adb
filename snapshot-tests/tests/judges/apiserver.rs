//! The strongest judge: a real API server with the real projects' resource definitions takes every stage in order.
//!
//! It is one version (1.36) for all environments; `schemas` judges built-in kinds at each environment's own.

mod pods;
mod stages;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use snapshot_tests::environments::{self, Environment};
use snapshot_tests::rendered;

use self::stages::Stage;
use crate::control_plane::{ControlPlane, Kind};
use crate::setup::{committed_environments, root};
use crate::subset;

/// An API server, its etcd and kubectl want about a core together.
const AT_ONCE: usize = 2;

#[test]
fn every_stage_of_every_environment_is_accepted_and_applying_it_again_changes_nothing() {
    let waiting = Mutex::new(VecDeque::from(committed_environments()));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(environment) = lock(&waiting).pop_front() {
                    if let Err(error) = judge_environment(&environment) {
                        lock(&failures).push(format!("{}: {error}", environment.name));
                    }
                }
            });
        }
    });
    let failures = lock(&failures);
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The committed stages of an environment, then what the chart renders for its services.
fn judge_environment(environment: &Environment) -> Result<(), String> {
    let mut stages = vec![flux_is_installed()];
    stages.extend(stages::of(&environment.folder)?);
    for release in rendered::releases(environment).map_err(|error| format!("{error:#}"))? {
        let objects = environments::documents(&root().join(release.path())).map_err(|error| format!("{error:#}"))?;
        stages.push(Stage::new(release.path(), objects).in_namespace(&release.namespace));
    }
    let objects = stages.iter().flat_map(|stage| &stage.objects);
    let kinds = objects.map(Kind::of).collect();
    judge(&ControlPlane::start(&kinds)?, &stages)
}

/// Flux is there before anything of ours, and its namespace with it.
fn flux_is_installed() -> Stage {
    let namespace = serde_json::json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "flux-system" },
    });
    Stage::new("Flux's own installation".to_owned(), vec![namespace])
}

/// Applies every stage in order, twice.
fn judge(control_plane: &ControlPlane, stages: &[Stage]) -> Result<(), String> {
    let mut first = BTreeMap::new();
    for stage in stages {
        for (object, kept) in apply(control_plane, stage)? {
            let lost = subset::lost(&object, &kept);
            if !lost.is_empty() {
                return Err(format!(
                    "{}: the server does not keep all of {}:\n{}",
                    stage.name,
                    identity(&object),
                    lost.join("\n")
                ));
            }
            first.insert(identity(&kept), kept);
        }
        pods::judge(control_plane, stage)?;
    }
    for stage in stages {
        for (_, kept) in apply(control_plane, stage)? {
            let identity = identity(&kept);
            let changes = changes(&first[&identity], &kept);
            if !changes.is_empty() {
                return Err(format!(
                    "{}: applying {identity} again changed it:\n{}",
                    stage.name,
                    changes.join("\n")
                ));
            }
        }
    }
    Ok(())
}

/// Applies a stage as Flux does: what others live in first, then everything. Returns what was written with what the
/// server then keeps.
fn apply(control_plane: &ControlPlane, stage: &Stage) -> Result<Vec<(Value, Value)>, String> {
    let mut applied = Vec::new();
    for objects in stage.steps() {
        let kept = control_plane.apply(&stage.name, stage.namespace.as_deref(), &objects)?;
        if kept.len() != objects.len() {
            return Err(format!(
                "{}: {} objects were applied, {} came back",
                stage.name,
                objects.len(),
                kept.len()
            ));
        }
        applied.extend(objects.into_iter().zip(kept));
    }
    Ok(applied)
}

/// Kind, namespace and name.
fn identity(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or("-");
    format!(
        "{} {} {}/{}",
        text("/apiVersion"),
        text("/kind"),
        text("/metadata/namespace"),
        text("/metadata/name")
    )
}

/// What differs between an object after the first and after the second time: its generation, or anything else.
///
/// Its resourceVersion is left out: it was seen to rise once for a HelmRelease while nothing else in the object differed
/// (its definition has a default status).
fn changes(first: &Value, second: &Value) -> Vec<String> {
    let without_version = |object: &Value| {
        let mut object = object.clone();
        object["metadata"]["resourceVersion"].take();
        object
    };
    let (first, second) = (without_version(first), without_version(second));
    [subset::lost(&first, &second), subset::lost(&second, &first)].concat()
}

#[test]
fn a_folder_of_valid_objects_passes_and_broken_ones_are_refused() {
    let topic = Kind::of(&serde_yaml::from_str(TOPIC).unwrap());
    let control_plane = ControlPlane::start(&[topic].into()).unwrap();
    let verdict = |folder: &[(&str, &str)]| {
        let environment = tempfile::tempdir().unwrap();
        for (path, text) in folder {
            let path = environment.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        judge(&control_plane, &stages::of(environment.path())?)
    };

    verdict(&[
        ("00-base/a-quota.yaml", QUOTA), // sorts before the namespace that it needs
        ("00-base/namespace.yaml", NAMESPACE),
        ("30-data/topic.yaml", TOPIC),
        ("50-apps/audit/deployment.yaml", DEPLOYMENT),
        ("owned.json", "{}"),
    ])
    .unwrap();

    let misspelt = TOPIC.replace("partitions", "partitoins");
    let error = verdict(&[("30-data/topic.yaml", &misspelt)]).unwrap_err();
    assert!(error.contains("partitoins"), "{error}");

    let privileged = DEPLOYMENT.replace("allowPrivilegeEscalation: false", "privileged: true");
    let error = verdict(&[("50-apps/audit/deployment.yaml", &privileged)]).unwrap_err();
    assert!(error.contains("violate PodSecurity"), "{error}");

    let unscheduled = DEPLOYMENT.replace(
        "      containers:",
        "      priorityClassName: absent\n      containers:",
    );
    let error = verdict(&[("50-apps/audit/deployment.yaml", &unscheduled)]).unwrap_err();
    assert!(error.contains("no PriorityClass with name absent"), "{error}");

    let early = TOPIC.replace("namespace: judged", "namespace: later");
    let error = verdict(&[
        ("00-base/topic.yaml", &early),
        ("10-late/namespace.yaml", &NAMESPACE.replace("judged", "later")),
    ])
    .unwrap_err();
    assert!(error.contains("namespaces \"later\" not found"), "{error}");

    let nothing = verdict(&[("00-base/README.md", "")]).unwrap_err();
    assert!(nothing.contains("no object"), "{nothing}");
}

#[cfg(test)]
const NAMESPACE: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: judged
  labels: { pod-security.kubernetes.io/enforce: restricted }
";

#[cfg(test)]
const QUOTA: &str = "apiVersion: v1
kind: ResourceQuota
metadata: { name: quota, namespace: judged }
spec: { hard: { requests.cpu: '2' } }
";

#[cfg(test)]
const TOPIC: &str = "apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: task-events
  namespace: judged
  labels: { strimzi.io/cluster: taskflow }
spec: { partitions: 3, replicas: 1, config: { retention.ms: '1000' } }
";

#[cfg(test)]
const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: { name: audit, namespace: judged }
spec:
  selector: { matchLabels: { app: audit } }
  template:
    metadata: { labels: { app: audit } }
    spec:
      securityContext: { runAsNonRoot: true, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: audit
          image: localhost/audit:1
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
";
