//! metrics-server: processor use, without which no HPA of a service that answers requests works.

use super::{Replaced, Resources, Size, Workload, install, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::{self, PodSecurity};
use crate::pins;
use crate::release::Release;
use crate::resolve::PlatformKind;
use serde::Serialize;

const SYSTEM: &str = "metrics-server";

const SERVER: Size = size(
    20,
    48,
    "estimate for a cluster of two nodes; the chart asks for 200 MiB, enough for 100",
);

#[derive(Serialize)]
struct Values {
    args: Vec<&'static str>,
    resources: Resources,
}

/// AKS and GKE bring it; a basic cluster of OKE and minikube do not.
pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let args = match inputs.env.platform.kind {
        PlatformKind::Aks | PlatformKind::Gke => return,
        PlatformKind::Oke => Vec::new(),
        // Its kubelet signs its own certificate.
        PlatformKind::Minikube => vec!["--kubelet-insecure-tls"],
    };
    base::namespace(inputs, artefacts, SYSTEM, PodSecurity::Restricted);
    let values = Values {
        args,
        resources: SERVER.resources(),
    };
    let release = Release::of_others(pins::METRICS_SERVER, SYSTEM, &values);
    install(artefacts, "/platform", &release, &[]);
    Workload {
        name: "metrics-server",
        namespace: SYSTEM,
        replicas: 1,
        replaced: Replaced::Rolling,
        size: SERVER,
        volume: None,
    }
    .counted(artefacts);
}
