//! What the compiler makes: files, each with at most one Kubernetes object.

mod resource;

pub use resource::{Resource, cluster_meta, meta};

use crate::spec::units::{Bytes, Cpu};
use serde::Serialize;
use serde_yaml::{Mapping, Value};
use std::collections::BTreeMap;

/// The fixed stages of a deployment. Everything that an object needs is there before its stage begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Namespaces, quotas, priority classes.
    Base,
    /// Chart sources, and the releases that bring operators and their CRDs.
    Operators,
    /// Secret stores, external secrets.
    Config,
    /// Kafka, topics, users; PostgreSQL; or their external forms.
    Data,
    /// Collectors, Zipkin, Prometheus rules and monitors.
    Observability,
    /// Dapr components, configuration, resiliency, subscriptions.
    Dapr,
    /// Our services, each with its autoscaler.
    Apps,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 7] = [
        Self::Base,
        Self::Operators,
        Self::Config,
        Self::Data,
        Self::Observability,
        Self::Dapr,
        Self::Apps,
    ];

    /// Its folder under `clusters/<env>/`.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Base => "00-base",
            Self::Operators => "10-operators",
            Self::Config => "20-config",
            Self::Data => "30-data",
            Self::Observability => "40-observability",
            Self::Dapr => "45-dapr",
            Self::Apps => "50-apps",
        }
    }

    /// Its name in the GitOps controller: the folder without its number.
    pub fn name(self) -> &'static str {
        &self.folder()[3..]
    }
}

/// Where an artefact stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a stage's folder; in [`Stage::Apps`] in the folder of a service.
    Stage(Stage, Option<String>),
    /// In the folder of the GitOps controller's own objects.
    Entry,
    /// Beside the stages.
    Root,
}

/// One file.
#[derive(Clone, Debug)]
pub struct Artefact {
    /// Path below `clusters/<env>/`.
    pub path: String,
    /// Where it stands.
    pub place: Place,
    /// The emitter that made it.
    pub family: &'static str,
    /// The part of the spec that asked for it, as a JSON pointer.
    pub pointer: String,
    /// What it holds.
    pub content: Content,
    /// What it brings into the cluster besides itself.
    pub provides: Vec<Thing>,
}

/// What a file holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// A Kubernetes object.
    Object(Object),
    /// Text for people.
    Text(String),
}

/// A Kubernetes object.
#[derive(Clone, Debug)]
pub struct Object {
    /// `apiVersion`
    pub api_version: String,
    /// `kind`
    pub kind: String,
    /// `metadata.namespace`
    pub namespace: Option<String>,
    /// `metadata.name`
    pub name: String,
    /// All of it.
    pub value: Value,
}

/// Something in a cluster that an object may need before it can work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// The kinds of an API group that Kubernetes does not have itself.
    Crd(String),
    /// A namespace.
    Namespace(String),
    /// A Secret: namespace, name.
    Secret(String, String),
    /// A `ConfigMap`: namespace, name.
    ConfigMap(String, String),
    /// A service account: namespace, name.
    ServiceAccount(String, String),
    /// A priority class.
    PriorityClass(String),
    /// A Dapr component: name.
    DaprComponent(String),
    /// A Dapr configuration: name.
    DaprConfiguration(String),
    /// A Kafka topic.
    Topic(String),
    /// A workload that others scale: name.
    Workload(String),
    /// A source that releases refer to: kind, namespace, name.
    Source(String, String, String),
}

/// What a workload asks of the nodes: the same numbers that its manifest holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// The workload, as people call it.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Pods at the least, surge included.
    pub pods: u32,
    /// Pods at the most.
    pub pods_at_most: u32,
    /// Processor request of one pod, sidecar included.
    pub cpu: Cpu,
    /// Memory request of one pod, sidecar included.
    pub memory: Bytes,
    /// Volume of one pod, as the platform makes it.
    pub volume: Option<Bytes>,
    /// Where the numbers come from.
    pub source: &'static str,
}

/// The files of one environment, each path once.
#[derive(Debug, Default)]
pub struct Artefacts {
    files: BTreeMap<String, Artefact>,
    /// Artefacts whose path was taken already.
    pub collisions: Vec<Artefact>,
    /// What every workload asks of the nodes.
    pub footprints: Vec<Footprint>,
    /// What hand-made files bring, and with which stage.
    pub provided_by_hand: Vec<(Stage, Thing)>,
}

impl Artefacts {
    /// Every file by path.
    pub fn iter(&self) -> impl Iterator<Item = &Artefact> {
        self.files.values()
    }

    /// Every file by path, to be changed: for tests that break one thing.
    #[cfg(test)]
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Artefact> {
        self.files.values_mut()
    }

    /// Every Kubernetes object with its file.
    pub fn objects(&self) -> impl Iterator<Item = (&Artefact, &Object)> {
        self.iter().filter_map(|artefact| match &artefact.content {
            Content::Object(object) => Some((artefact, object)),
            Content::Text(_) => None,
        })
    }

    /// The objects of one kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a Artefact, &'a Object)> {
        self.objects().filter(move |(_, object)| object.kind == kind)
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Puts an object into a stage. `pointer` is the part of the spec that asks for it.
    pub fn add(&mut self, family: &'static str, stage: Stage, pointer: &str, object: &impl Serialize) -> &mut Artefact {
        self.add_at(family, Place::Stage(stage, None), pointer, object)
    }

    /// Puts an object anywhere.
    ///
    /// # Panics
    /// If the object has no `apiVersion`, `kind` or name, or an enum with fields of its own: such a thing becomes a
    /// YAML tag, which no API server reads. Our own types have the former and not the latter.
    pub fn add_at(
        &mut self,
        family: &'static str,
        place: Place,
        pointer: &str,
        object: &impl Serialize,
    ) -> &mut Artefact {
        let object = typed(object);
        let file = object.file_name();
        let path = match &place {
            Place::Stage(stage, None) => format!("{}/{file}", stage.folder()),
            Place::Stage(stage, Some(service)) => format!("{}/{service}/{file}", stage.folder()),
            Place::Entry => format!("flux/{file}"),
            Place::Root => file,
        };
        self.insert(Artefact {
            path,
            place,
            family,
            pointer: pointer.to_owned(),
            content: Content::Object(object),
            provides: Vec::new(),
        })
    }

    /// Puts an object into a folder beside the stages.
    pub fn add_below(
        &mut self,
        family: &'static str,
        folder: &str,
        pointer: &str,
        object: &impl Serialize,
    ) -> &mut Artefact {
        let object = typed(object);
        self.insert_object(family, format!("{folder}/{}", object.file_name()), pointer, object)
    }

    /// Puts an object into the file of this name beside the stages.
    pub fn add_as(
        &mut self,
        family: &'static str,
        path: &str,
        pointer: &str,
        object: &impl Serialize,
    ) -> &mut Artefact {
        self.insert_object(family, path.to_owned(), pointer, typed(object))
    }

    fn insert_object(&mut self, family: &'static str, path: String, pointer: &str, object: Object) -> &mut Artefact {
        self.insert(Artefact {
            path,
            place: Place::Root,
            family,
            pointer: pointer.to_owned(),
            content: Content::Object(object),
            provides: Vec::new(),
        })
    }

    /// Puts a text beside the stages.
    pub fn add_text(&mut self, family: &'static str, path: &str, pointer: &str, text: String) -> &mut Artefact {
        self.insert(Artefact {
            path: path.to_owned(),
            place: Place::Root,
            family,
            pointer: pointer.to_owned(),
            content: Content::Text(text),
            provides: Vec::new(),
        })
    }

    fn insert(&mut self, artefact: Artefact) -> &mut Artefact {
        if self.files.contains_key(&artefact.path) {
            self.collisions.push(artefact);
            let last = self.collisions.len() - 1;
            return &mut self.collisions[last];
        }
        self.files.entry(artefact.path.clone()).or_insert(artefact)
    }
}

impl Artefact {
    /// Says what else it brings.
    pub fn provides(&mut self, things: impl IntoIterator<Item = Thing>) -> &mut Self {
        self.provides.extend(things);
        self
    }

    /// Its stage, where it has one.
    pub fn stage(&self) -> Option<Stage> {
        match self.place {
            Place::Stage(stage, _) => Some(stage),
            Place::Entry | Place::Root => None,
        }
    }
}

impl Object {
    fn new(value: Value) -> Option<Self> {
        let metadata = value.get("metadata")?;
        let text = |value: &Value, key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            api_version: text(&value, "apiVersion")?,
            kind: text(&value, "kind")?,
            namespace: text(metadata, "namespace"),
            name: text(metadata, "name")?,
            value,
        })
    }

    /// The name of its file: kind and name.
    fn file_name(&self) -> String {
        format!("{}-{}.yaml", self.kind.to_lowercase(), self.name.replace(':', "-"))
    }

    /// The value at a JSON pointer such as `/spec/template`.
    pub fn at(&self, pointer: &str) -> Option<&Value> {
        pointer
            .split('/')
            .skip(1)
            .try_fold(&self.value, |value, segment| match value {
                Value::Sequence(items) => items.get(segment.parse::<usize>().ok()?),
                _ => value.get(segment),
            })
    }

    /// The API group, empty for the core.
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }
}

/// An object of our own types.
fn typed(object: &impl Serialize) -> Object {
    let value = serde_yaml::to_value(object).expect("our own types serialise");
    assert!(!holds_a_tag(&value), "an enum became a YAML tag: {value:?}");
    Object::new(with_common_labels(value)).expect("our own types have apiVersion, kind and name")
}

fn holds_a_tag(value: &Value) -> bool {
    match value {
        Value::Tagged(_) => true,
        Value::Sequence(items) => items.iter().any(holds_a_tag),
        Value::Mapping(mapping) => mapping.values().any(holds_a_tag),
        _ => false,
    }
}

/// Every object says whose it is, and who it is first: name, namespace, labels, then the rest.
fn with_common_labels(mut value: Value) -> Value {
    let Some(Value::Mapping(metadata)) = value.get_mut("metadata") else {
        return value;
    };
    let mut labels: BTreeMap<String, Value> = match metadata.remove("labels") {
        Some(Value::Mapping(labels)) => labels
            .into_iter()
            .filter_map(|(key, text)| Some((key.as_str()?.to_owned(), text)))
            .collect(),
        _ => BTreeMap::new(),
    };
    for (key, text) in [
        ("app.kubernetes.io/managed-by", "taskflow-gen"),
        ("app.kubernetes.io/part-of", "taskflow"),
    ] {
        labels.entry(key.to_owned()).or_insert_with(|| text.into());
    }
    let mut ordered = Mapping::new();
    for key in ["name", "namespace"] {
        if let Some(value) = metadata.remove(key) {
            ordered.insert(key.into(), value);
        }
    }
    let labels = labels.into_iter().map(|(key, text)| (key.into(), text)).collect();
    ordered.insert("labels".into(), Value::Mapping(labels));
    ordered.extend(std::mem::take(metadata));
    *metadata = ordered;
    value
}
