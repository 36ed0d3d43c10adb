//! Who needs what, and whether it is there in time.

use crate::artefact::{Artefact, Artefacts, Object, Stage, Thing};
use serde_yaml::Value;
use std::collections::BTreeMap;

/// A need that nothing meets in time.
#[derive(Clone, Debug)]
pub struct Unmet<'a> {
    /// The artefact in need.
    pub artefact: &'a Artefact,
    /// What it needs.
    pub thing: Thing,
    /// The stage that brings it, too late; `None` if nothing does.
    pub provided: Option<Stage>,
}

/// Every unmet need of an environment.
pub fn unmet(artefacts: &Artefacts) -> Vec<Unmet<'_>> {
    let mut provided: BTreeMap<Thing, Stage> = BTreeMap::new();
    let brought = artefacts.objects().flat_map(|(artefact, object)| {
        let stage = artefact.stage().unwrap_or(Stage::Base);
        let things = brings(object).into_iter().chain(artefact.provides.iter().cloned());
        things.map(move |thing| (stage, thing)).collect::<Vec<_>>()
    });
    for (stage, thing) in brought.chain(artefacts.provided_by_hand.iter().cloned()) {
        let earliest = provided.entry(thing).or_insert(stage);
        *earliest = (*earliest).min(stage);
    }
    let mut unmet = Vec::new();
    for (artefact, object) in artefacts.objects() {
        let Some(stage) = artefact.stage() else {
            continue;
        };
        for thing in needs(object) {
            let there = provided.get(&thing).copied();
            if !there.is_some_and(|there| in_time(&thing, there, stage)) {
                unmet.push(Unmet {
                    artefact,
                    thing,
                    provided: there,
                });
            }
        }
    }
    unmet
}

/// A CRD that a release brings must be there before the stage is applied, or the API server refuses the whole stage.
/// Namespaces are applied first within a stage, and whatever a pod waits for may come with it.
fn in_time(thing: &Thing, there: Stage, needed: Stage) -> bool {
    match thing {
        Thing::Crd(_) => there < needed,
        _ => there <= needed,
    }
}

/// API groups that Kubernetes serves itself, and those of the GitOps controller, which is there first.
fn is_always_served(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io") || group.ends_with(".toolkit.fluxcd.io")
}

/// What an object is, or becomes by its controller.
fn brings(object: &Object) -> Vec<Thing> {
    let name = || object.name.clone();
    let namespace = || object.namespace.clone().unwrap_or_default();
    let secret = |name: String| Thing::Secret(namespace(), name);
    match object.kind.as_str() {
        "Namespace" => vec![Thing::Namespace(name())],
        "ConfigMap" => vec![Thing::ConfigMap(namespace(), name())],
        "ServiceAccount" => vec![Thing::ServiceAccount(namespace(), name())],
        "PriorityClass" => vec![Thing::PriorityClass(name())],
        "Component" => vec![Thing::DaprComponent(name())],
        "Configuration" => vec![Thing::DaprConfiguration(name())],
        "KafkaTopic" => vec![Thing::Topic(name())],
        "KafkaUser" => vec![secret(name())],
        "Kafka" => vec![secret(format!("{}-cluster-ca-cert", object.name))],
        "Cluster" => vec![
            secret(format!("{}-ca", object.name)),
            secret(format!("{}-app", object.name)),
        ],
        "ExternalSecret" => {
            let target = object.at("/spec/target/name").and_then(Value::as_str);
            vec![secret(target.map_or_else(name, str::to_owned))]
        }
        "HelmRelease" | "Deployment" | "StatefulSet" => vec![Thing::Workload(name())],
        "HelmRepository" | "OCIRepository" | "GitRepository" | "SecretStore" => {
            vec![Thing::Source(object.kind.clone(), namespace(), name())]
        }
        _ => Vec::new(),
    }
}

/// What an object refers to.
pub fn needs(object: &Object) -> Vec<Thing> {
    let mut needs = Vec::new();
    if !is_always_served(object.group()) {
        needs.push(Thing::Crd(object.group().to_owned()));
    }
    if let Some(namespace) = &object.namespace {
        // Flux's own namespace is there before anything of ours.
        if namespace != crate::emit::FLUX_NAMESPACE {
            needs.push(Thing::Namespace(namespace.clone()));
        }
    }
    let namespace = object.namespace.clone().unwrap_or_default();
    let walk = Walk {
        object,
        namespace: &namespace,
        values_of_ours: is_release_of_ours(object),
    };
    walk.references(&object.value, &mut needs);
    needs.sort();
    needs.dedup();
    needs
}

/// A walk through one object, for the keys by which Kubernetes and our operators refer to others.
struct Walk<'a> {
    object: &'a Object,
    namespace: &'a str,
    values_of_ours: bool,
}

impl Walk<'_> {
    fn references(&self, value: &Value, needs: &mut Vec<Thing>) {
        match value {
            Value::Sequence(items) => items.iter().for_each(|item| self.references(item, needs)),
            Value::Mapping(mapping) => {
                if self.values_of_ours {
                    needs.extend(reference_in_values(value, self.namespace));
                }
                for (key, inner) in mapping {
                    let key = key.as_str().unwrap_or_default();
                    needs.extend(reference(self.object, key, inner, self.namespace));
                    if key == "secretTargetRef" {
                        let targets = inner.as_sequence().into_iter().flatten();
                        let secrets = targets.filter_map(|target| target.get("name")?.as_str());
                        needs.extend(secrets.map(|name| Thing::Secret(self.namespace.to_owned(), name.to_owned())));
                    }
                    self.references(inner, needs);
                }
            }
            _ => {}
        }
    }
}

/// Whether an object releases `charts/taskflow-service`, whose values name what the pods will refer to.
fn is_release_of_ours(object: &Object) -> bool {
    let source = object.at("/spec/chart/spec/sourceRef/kind").and_then(Value::as_str);
    object.kind == "HelmRelease" && source == Some("GitRepository")
}

/// What a group of our chart's values refers to: `{ secret, key }`, or the sidecar's Configuration and tokens.
fn reference_in_values(values: &Value, namespace: &str) -> Vec<Thing> {
    let text = |key: &str| values.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_true = |key: &str| values.get(key).and_then(Value::as_bool) == Some(true);
    let mut things = Vec::new();
    if !is_true("optional") {
        let secrets = ["secret", "apiTokenSecret", "appTokenSecret"]
            .into_iter()
            .filter_map(text);
        things.extend(secrets.map(|name| Thing::Secret(namespace.to_owned(), name.to_owned())));
    }
    if text("appId").is_some() && is_true("enabled") {
        things.extend(text("config").map(|name| Thing::DaprConfiguration(name.to_owned())));
    }
    things
}

fn reference(object: &Object, key: &str, value: &Value, namespace: &str) -> Option<Thing> {
    let named = |field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let text = || value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let here = || namespace.to_owned();
    let optional = || value.get("optional").and_then(Value::as_bool) == Some(true);
    match key {
        "secretKeyRef" | "secretRef" | "passwordSecret" | "basicAuth" if !optional() => {
            Some(Thing::Secret(here(), named("name")?))
        }
        "secret" if value.is_mapping() && !optional() => {
            Some(Thing::Secret(here(), named("secretName").or_else(|| named("name"))?))
        }
        "configMapKeyRef" | "configMapRef" | "configMap" if !optional() => {
            Some(Thing::ConfigMap(here(), named("name")?))
        }
        "serviceAccountName" if object.kind != "ServiceMonitor" => Some(Thing::ServiceAccount(here(), text()?)),
        "priorityClassName" => text()
            .filter(|name| !name.starts_with("system-"))
            .map(Thing::PriorityClass),
        "pubsubname" => Some(Thing::DaprComponent(text()?)),
        "deadLetterTopic" => Some(Thing::Topic(text()?)),
        "topic" if object.kind == "Subscription" => Some(Thing::Topic(text()?)),
        "scaleTargetRef" => Some(Thing::Workload(named("name")?)),
        "sourceRef" if object.kind == "HelmRelease" => Some(Thing::Source(
            named("kind")?,
            named("namespace").unwrap_or_else(here),
            named("name")?,
        )),
        "existingSecret" => Some(Thing::Secret(here(), text()?)),
        "serviceAccountRef" => Some(Thing::ServiceAccount(here(), named("name")?)),
        "chartRef" | "secretStoreRef" => Some(Thing::Source(
            named("kind")?,
            named("namespace").unwrap_or_else(here),
            named("name")?,
        )),
        _ => None,
    }
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Crd(group) => write!(f, "the custom resources of {group}"),
            Self::Namespace(name) => write!(f, "namespace {name}"),
            Self::Secret(namespace, name) => write!(f, "Secret {namespace}/{name}"),
            Self::ConfigMap(namespace, name) => write!(f, "ConfigMap {namespace}/{name}"),
            Self::ServiceAccount(namespace, name) => write!(f, "ServiceAccount {namespace}/{name}"),
            Self::PriorityClass(name) => write!(f, "PriorityClass {name}"),
            Self::DaprComponent(name) => write!(f, "Dapr Component {name}"),
            Self::DaprConfiguration(name) => write!(f, "Dapr Configuration {name}"),
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Workload(name) => write!(f, "workload {name}"),
            Self::Source(kind, namespace, name) => write!(f, "{kind} {namespace}/{name}"),
        }
    }
}
