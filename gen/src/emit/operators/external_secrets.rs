//! External Secrets.

use super::{Resources, Size, Strategy, Workload, authority_of_webhooks, install, replaced, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::{self, PRIORITY_DATA, PodSecurity};
use crate::pins;
use crate::release::Release;
use crate::spec::Part;
use crate::spec::secrets::Secrets;
use serde::Serialize;
use std::collections::BTreeMap;

const SYSTEM: &str = "external-secrets";
/// The most webhooks in one of the chart's configurations.
const WEBHOOKS: usize = 2;

const CONTROLLER: Size = size(5, 64, "estimate; the chart asks for nothing");
const WEBHOOK: Size = size(5, 40, "estimate; the chart asks for nothing");
const CERTIFICATES: Size = size(5, 48, "estimate; the chart asks for nothing");
const IN_PRODUCTION: Size = size(50, 96, "estimate; the chart asks for nothing");

#[expect(clippy::struct_excessive_bools, reason = "the chart's own switches")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    #[serde(rename = "installCRDs")]
    install_crds: bool,
    crds: Crds,
    // A store here belongs to one namespace and reads only: what serves the whole cluster, or writes into a vault, is
    // off, and with it the right to do so.
    process_cluster_external_secret: bool,
    process_cluster_store: bool,
    process_cluster_generator: bool,
    process_cluster_push_secret: bool,
    process_push_secret: bool,
    priority_class_name: &'static str,
    strategy: Strategy,
    resources: Resources,
    webhook: Component,
    cert_controller: Component,
}

#[expect(clippy::struct_excessive_bools, reason = "the chart's own switches")]
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Crds {
    create_cluster_external_secret: bool,
    create_cluster_secret_store: bool,
    create_cluster_generator: bool,
    create_cluster_push_secret: bool,
    create_push_secret: bool,
    annotations: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    priority_class_name: &'static str,
    strategy: Strategy,
    resources: Resources,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let is_asked_for = matches!(inputs.env.secrets, Secrets::ExternalSecrets(_));
    if !is_asked_for || !inputs.env.has(Part::ExternalSecrets) {
        return;
    }
    base::namespace(inputs, artefacts, SYSTEM, PodSecurity::Restricted);
    let [controller, webhook, certificates] = if inputs.env.is_production() {
        [IN_PRODUCTION; 3]
    } else {
        [CONTROLLER, WEBHOOK, CERTIFICATES]
    };
    let replaced = replaced(inputs);
    let component = |size: Size| Component {
        priority_class_name: PRIORITY_DATA,
        strategy: Strategy::of(replaced),
        resources: size.resources(),
    };
    let values = Values {
        install_crds: true,
        crds: Crds {
            create_cluster_external_secret: false,
            create_cluster_secret_store: false,
            create_cluster_generator: false,
            create_cluster_push_secret: false,
            create_push_secret: false,
            // Without the CRD every ExternalSecret goes, and with each the Secret that it owns.
            annotations: BTreeMap::from([("helm.sh/resource-policy", "keep")]),
        },
        process_cluster_external_secret: false,
        process_cluster_store: false,
        process_cluster_generator: false,
        process_cluster_push_secret: false,
        process_push_secret: false,
        priority_class_name: PRIORITY_DATA,
        strategy: Strategy::of(replaced),
        resources: controller.resources(),
        webhook: component(webhook),
        cert_controller: component(certificates),
    };
    let release = Release::of_others(pins::EXTERNAL_SECRETS, SYSTEM, &values)
        .changed_by_others("ValidatingWebhookConfiguration", &authority_of_webhooks(WEBHOOKS));
    let groups = ["external-secrets.io", "generators.external-secrets.io"];
    install(artefacts, "/secrets/externalSecrets", &release, &groups);
    for (name, size) in [
        ("external-secrets", controller),
        ("external-secrets-webhook", webhook),
        ("external-secrets-cert-controller", certificates),
    ] {
        Workload {
            name,
            namespace: SYSTEM,
            replicas: 1,
            replaced,
            size,
            volume: None,
        }
        .counted(artefacts);
    }
}
