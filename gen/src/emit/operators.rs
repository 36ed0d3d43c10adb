//! What an environment needs before anything of ours: operators as releases, with their namespaces and sizes.
//!
//! Nothing here installs cert-manager: Dapr, Strimzi, KEDA, CloudNativePG and External Secrets each make their own
//! certificates, and nothing else asks for one.

mod adapter;
mod cloudnative_pg;
mod dapr;
mod external_secrets;
mod grafana;
mod keda;
mod metrics_server;
mod prometheus;
mod strimzi;

use super::Inputs;
use crate::artefact::{Artefacts, Footprint, Place, Stage, Thing};
use crate::release::Release;
use crate::spec::units::{Bytes, Cpu};
use serde::Serialize;

const FAMILY: &str = "operators";

/// The Secret with Grafana's administrator.
pub(super) mod grafana_admin {
    /// Its name.
    pub(in crate::emit) const SECRET: &str = "grafana-admin";
    /// Key of the name.
    pub(in crate::emit) const USER: &str = "admin-user";
    /// Key of the password.
    pub(in crate::emit) const PASSWORD: &str = "admin-password";
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    metrics_server::emit(inputs, artefacts);
    dapr::emit(inputs, artefacts);
    strimzi::emit(inputs, artefacts);
    keda::emit(inputs, artefacts);
    cloudnative_pg::emit(inputs, artefacts);
    external_secrets::emit(inputs, artefacts);
    prometheus::emit(inputs, artefacts);
    adapter::emit(inputs, artefacts);
    grafana::emit(inputs, artefacts);
}

/// Puts a release into the stage of the operators; `groups` are the API groups that it brings.
fn install(artefacts: &mut Artefacts, pointer: &str, release: &Release, groups: &[&str]) {
    release
        .add(artefacts, FAMILY, Place::Stage(Stage::Operators, None), pointer)
        .provides(groups.iter().map(|&group| Thing::Crd(group.to_owned())));
}

/// What one container asks for.
#[derive(Clone, Copy, Debug)]
struct Size {
    /// Processor request. There is no limit: a throttled operator is a late operator.
    cpu: Cpu,
    /// Memory request.
    memory: Bytes,
    /// Memory limit; `None` where the project itself advises against one.
    memory_limit: Option<Bytes>,
    /// Where the numbers come from.
    source: &'static str,
}

/// A container that may grow to twice its request before it is killed.
const fn size(milli_cpu: u64, mebibytes: u64, source: &'static str) -> Size {
    Size {
        cpu: Cpu(milli_cpu),
        memory: Bytes::mi(mebibytes),
        memory_limit: Some(Bytes::mi(mebibytes * 2)),
        source,
    }
}

impl Size {
    /// A container that takes what it may have at once, such as a Java process.
    const fn fixed(self) -> Self {
        Self {
            memory_limit: Some(self.memory),
            ..self
        }
    }

    /// A container that is not killed for what it takes.
    const fn unlimited(self) -> Self {
        Self {
            memory_limit: None,
            ..self
        }
    }

    /// As a chart's values spell it.
    fn resources(self) -> Resources {
        Resources {
            requests: Requests {
                cpu: self.cpu,
                memory: self.memory,
            },
            limits: self.memory_limit.map(|memory| Limits { memory }),
        }
    }

    /// Both containers in one pod, for counting.
    fn and(self, other: Self) -> Self {
        Self {
            cpu: Cpu(self.cpu.0 + other.cpu.0),
            memory: Bytes(self.memory.0 + other.memory.0),
            memory_limit: None,
            source: self.source,
        }
    }
}

/// `resources` of a container in a chart's values.
#[derive(Clone, Copy, Debug, Serialize)]
struct Resources {
    requests: Requests,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Requests {
    cpu: Cpu,
    memory: Bytes,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Limits {
    memory: Bytes,
}

/// How the pods of a workload are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaced {
    /// A new one beside the old ones: a quarter of them, rounded up, comes on top.
    Rolling,
    /// The old one goes first, or it is a `StatefulSet` or `DaemonSet`: none comes on top.
    InPlace,
}

/// A workload that a chart runs.
#[derive(Clone, Copy, Debug)]
struct Workload {
    name: &'static str,
    namespace: &'static str,
    replicas: u32,
    replaced: Replaced,
    size: Size,
    volume: Option<Bytes>,
}

impl Workload {
    fn counted(self, artefacts: &mut Artefacts) {
        let surge = match self.replaced {
            Replaced::Rolling => self.replicas.div_ceil(4),
            Replaced::InPlace => 0,
        };
        artefacts.footprints.push(Footprint {
            name: self.name.to_owned(),
            namespace: self.namespace.to_owned(),
            pods: self.replicas + surge,
            pods_at_most: self.replicas + surge,
            cpu: self.size.cpu,
            memory: self.size.memory,
            volume: self.volume,
            source: self.size.source,
        });
    }
}

/// `strategy` of a Deployment, where a chart has a value for it. On a small cluster an operator that is away for some
/// seconds costs less than room for two.
#[derive(Clone, Copy, Debug, Serialize)]
struct Strategy {
    r#type: &'static str,
}

impl Strategy {
    fn of(replaced: Replaced) -> Self {
        Self {
            r#type: match replaced {
                Replaced::Rolling => "RollingUpdate",
                Replaced::InPlace => "Recreate",
            },
        }
    }
}

/// How operators are replaced here.
fn replaced(inputs: Inputs<'_>) -> Replaced {
    if inputs.env.is_production() {
        Replaced::Rolling
    } else {
        Replaced::InPlace
    }
}

/// The places where an operator fills in the authority of its own webhooks.
fn authority_of_webhooks(count: usize) -> Vec<String> {
    (0..count)
        .map(|index| format!("/webhooks/{index}/clientConfig/caBundle"))
        .collect()
}
