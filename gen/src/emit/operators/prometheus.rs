//! kube-prometheus-stack: Prometheus, its operator, and what stands beside it, without Grafana.

mod values;

use super::{Replaced, Size, Workload, install, replaced, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::{self, PodSecurity};
use crate::pins;
use crate::release::Release;
use crate::resolve::OBSERVABILITY;
use crate::spec::Part;
use crate::spec::units::Cpu;

/// Prometheus's host name: the governing Service that the operator makes, whatever the release is called.
pub(in crate::emit) const HOST: &str = "prometheus-operated.observability.svc";
/// Its port.
pub(in crate::emit) const PORT: u16 = 9090;

/// Node agents read the host's files and processes, which no Pod Security level but `privileged` allows: they have a
/// namespace of their own.
const NODE_AGENTS: &str = "node-exporter";

const OPERATOR: Size = size(5, 64, "estimate; the chart asks for nothing");
const RELOADER: Size = size(5, 24, "estimate; the operator asks for 50 MiB");
const STATE: Size = size(5, 64, "estimate; the chart asks for nothing");
const NODE_AGENT: Size = size(5, 24, "estimate; the chart asks for nothing");
const ALERTMANAGER: Size = size(5, 48, "estimate; the operator asks for 200 MiB");
const OPERATOR_IN_PRODUCTION: Size = size(100, 128, "estimate; the chart asks for nothing");
const STATE_IN_PRODUCTION: Size = size(50, 128, "estimate; the chart asks for nothing");
const ALERTMANAGER_IN_PRODUCTION: Size = size(50, 128, "estimate; the operator asks for 200 MiB");

/// The sizes of everything that the chart runs.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    operator: Size,
    reloader: Size,
    state: Size,
    node_agent: Size,
    alertmanager: Size,
    prometheus: Size,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    if !inputs.env.has(Part::Prometheus) {
        return;
    }
    if inputs.env.has(Part::NodeExporter) {
        base::namespace(inputs, artefacts, NODE_AGENTS, PodSecurity::Privileged);
    }
    let sizes = sizes(inputs);
    let values = values::of(inputs, &sizes);
    let release = Release::of_others(pins::KUBE_PROMETHEUS_STACK, OBSERVABILITY, &values);
    install(artefacts, "/metrics", &release, &["monitoring.coreos.com"]);
    count(inputs, &sizes, artefacts);
}

fn sizes(inputs: Inputs<'_>) -> Sizes {
    let memory = inputs.env.metrics.memory;
    let prometheus = Size {
        cpu: if inputs.env.is_production() { Cpu(500) } else { Cpu(50) },
        memory,
        memory_limit: Some(memory),
        source: "`metrics.memory`",
    };
    if inputs.env.is_production() {
        Sizes {
            operator: OPERATOR_IN_PRODUCTION,
            reloader: RELOADER,
            state: STATE_IN_PRODUCTION,
            node_agent: NODE_AGENT,
            alertmanager: ALERTMANAGER_IN_PRODUCTION,
            prometheus,
        }
    } else {
        Sizes {
            operator: OPERATOR,
            reloader: RELOADER,
            state: STATE,
            node_agent: NODE_AGENT,
            alertmanager: ALERTMANAGER,
            prometheus,
        }
    }
}

/// Alertmanagers: two tell each other what was said already, and one survives the other's node.
fn alertmanagers(inputs: Inputs<'_>) -> u32 {
    if inputs.env.is_production() { 2 } else { 1 }
}

fn count(inputs: Inputs<'_>, sizes: &Sizes, artefacts: &mut Artefacts) {
    let env = inputs.env;
    let replaced = replaced(inputs);
    let of = |name, replicas, replaced, size| Workload {
        name,
        namespace: OBSERVABILITY,
        replicas,
        replaced,
        size,
        volume: None,
    };
    of("prometheus-operator", 1, replaced, sizes.operator).counted(artefacts);
    // The chart offers it no other way.
    of("kube-state-metrics", 1, Replaced::Rolling, sizes.state).counted(artefacts);
    Workload {
        volume: env.metrics.volume.map(|volume| env.platform.volume(volume)),
        ..of("prometheus", 1, Replaced::InPlace, sizes.prometheus.and(sizes.reloader))
    }
    .counted(artefacts);
    if env.has(Part::Alertmanager) {
        let size = sizes.alertmanager.and(sizes.reloader);
        of("alertmanager", alertmanagers(inputs), Replaced::InPlace, size).counted(artefacts);
    }
    if env.has(Part::NodeExporter) {
        Workload {
            namespace: NODE_AGENTS,
            ..of("node-exporter", env.platform.nodes, Replaced::InPlace, sizes.node_agent)
        }
        .counted(artefacts);
    }
}
