//! CloudNativePG.

use super::{Resources, Size, Strategy, Workload, authority_of_webhooks, install, replaced, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::{self, PRIORITY_DATA, PodSecurity};
use crate::pins;
use crate::release::Release;
use crate::spec::Part;
use serde::Serialize;

const SYSTEM: &str = "cnpg-system";
/// Webhooks of the chart's two configurations: mutating, validating.
const WEBHOOKS: (usize, usize) = (4, 5);

const OPERATOR: Size = size(5, 96, "estimate; the chart asks for nothing");
const OPERATOR_IN_PRODUCTION: Size = size(100, 128, "estimate; the chart asks for nothing");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    replica_count: u32,
    crds: Crds,
    priority_class_name: &'static str,
    update_strategy: Strategy,
    resources: Resources,
}

#[derive(Serialize)]
struct Crds {
    create: bool,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    if inputs.env.postgres.cluster.is_none() || !inputs.env.has(Part::CloudnativePg) {
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
        // A failover is the operator's work: it must not have been lost with the primary's node.
        replica_count: replicas,
        // The chart's CRDs carry the annotation that keeps them when the release goes.
        crds: Crds { create: true },
        priority_class_name: PRIORITY_DATA,
        update_strategy: Strategy::of(replaced),
        resources: size.resources(),
    };
    let release = Release::of_others(pins::CLOUDNATIVE_PG, SYSTEM, &values)
        .changed_by_others("MutatingWebhookConfiguration", &authority_of_webhooks(WEBHOOKS.0))
        .changed_by_others("ValidatingWebhookConfiguration", &authority_of_webhooks(WEBHOOKS.1));
    install(artefacts, "/postgres/cloudnativePg", &release, &["postgresql.cnpg.io"]);
    Workload {
        name: "cloudnative-pg",
        namespace: SYSTEM,
        replicas,
        replaced,
        size,
        volume: None,
    }
    .counted(artefacts);
}
