//! Strimzi.

use super::{Resources, Size, Strategy, Workload, install, replaced, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::{self, PRIORITY_DATA, PodSecurity};
use crate::pins;
use crate::release::Release;
use crate::resolve::NAMESPACE;
use crate::spec::Part;
use serde::Serialize;

const SYSTEM: &str = "strimzi-system";

const OPERATOR: Size = size(20, 384, "the chart's own memory; idle processor use is below it").fixed();
const OPERATOR_IN_PRODUCTION: Size = size(200, 512, "the chart's own, with room for more topics and users").fixed();

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    replicas: u32,
    watch_namespaces: Vec<&'static str>,
    generate_network_policy: bool,
    generate_pod_disruption_budget: bool,
    priority_class_name: &'static str,
    deployment_strategy: Strategy,
    extra_envs: Vec<Variable>,
    resources: Resources,
}

#[derive(Serialize)]
struct Variable {
    name: &'static str,
    value: &'static str,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    if inputs.env.kafka.strimzi().is_none() || !inputs.env.has(Part::Strimzi) {
        return;
    }
    base::namespace(inputs, artefacts, SYSTEM, PodSecurity::Restricted);
    let (replicas, size) = if inputs.env.is_production() {
        (2, OPERATOR_IN_PRODUCTION)
    } else {
        (1, OPERATOR)
    };
    let replaced = replaced(inputs);
    let values = Values {
        // A second one takes over when the first one's node is lost; they elect a leader.
        replicas,
        watch_namespaces: vec![NAMESPACE],
        generate_network_policy: true,
        generate_pod_disruption_budget: true,
        priority_class_name: PRIORITY_DATA,
        deployment_strategy: Strategy::of(replaced),
        // Without it Kafka's own pods miss what the namespace's Pod Security level demands.
        extra_envs: vec![Variable {
            name: "STRIMZI_POD_SECURITY_PROVIDER_CLASS",
            value: "restricted",
        }],
        resources: size.resources(),
    };
    let release = Release::of_others(pins::STRIMZI_KAFKA_OPERATOR, SYSTEM, &values);
    install(
        artefacts,
        "/kafka/strimzi",
        &release,
        &["kafka.strimzi.io", "core.strimzi.io"],
    );
    Workload {
        name: "strimzi-cluster-operator",
        namespace: SYSTEM,
        replicas,
        replaced,
        size,
        volume: None,
    }
    .counted(artefacts);
}
