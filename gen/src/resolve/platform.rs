//! Facts of the platform.

use crate::spec::platform::{self as written, Architecture};
use crate::spec::units::{Bytes, Cpu, KubernetesVersion};

/// Which platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlatformKind {
    /// minikube
    Minikube,
    /// Oracle
    Oke,
    /// Azure
    Aks,
    /// Google
    Gke,
}

/// Where an environment runs, as far as manifests depend on it.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Which one.
    pub kind: PlatformKind,
    /// Kubernetes version of the control plane.
    pub kubernetes: KubernetesVersion,
    /// Region; empty for minikube.
    pub region: String,
    /// Architecture of all nodes.
    pub architecture: Architecture,
    /// Nodes.
    pub nodes: u32,
    /// Nodes that the pool's autoscaler may make of them.
    pub nodes_at_most: u32,
    /// Cores of one node.
    pub node_cpu: Cpu,
    /// Memory of one node.
    pub node_memory: Bytes,
    /// Zones that nodes carry a label of; 0 where they carry none.
    pub zones: u8,
    /// The storage class of every volume.
    pub storage_class: &'static str,
    /// A smaller volume is rounded up to this.
    pub volume_floor: Bytes,
    /// Storage for volumes in all; `None` where it is only a matter of money.
    pub volume_budget: Option<Bytes>,
    /// Google Cloud project; empty elsewhere.
    pub project: String,
}

impl Platform {
    /// The label of the environment's kind in prose.
    pub const fn title(&self) -> &'static str {
        match self.kind {
            PlatformKind::Minikube => "minikube",
            PlatformKind::Oke => "Oracle Kubernetes Engine",
            PlatformKind::Aks => "Azure Kubernetes Service",
            PlatformKind::Gke => "Google Kubernetes Engine",
        }
    }

    /// A volume as it will be made: never below the platform's floor.
    pub fn volume(&self, asked: Bytes) -> Bytes {
        asked.max(self.volume_floor)
    }
}

pub(super) fn resolve(platform: &written::Platform) -> Platform {
    match platform {
        written::Platform::Minikube(it) => Platform {
            kind: PlatformKind::Minikube,
            kubernetes: it.kubernetes,
            region: String::new(),
            architecture: it.architecture,
            nodes: 1,
            nodes_at_most: 1,
            node_cpu: it.cpu,
            node_memory: it.memory,
            zones: 0,
            storage_class: "standard",
            volume_floor: Bytes(0),
            volume_budget: Some(it.disk),
            project: String::new(),
        },
        written::Platform::Oke(it) => Platform {
            zones: it.availability_domains,
            storage_class: "oci-bv",
            // The block volume service's least size (oracle/oci-cloud-controller-manager: MinimumVolumeSizeInBytes).
            volume_floor: Bytes::gi(50),
            volume_budget: Some(Bytes(
                it.block_storage
                    .0
                    .saturating_sub(it.boot_volume.0 * u64::from(it.nodes.count)),
            )),
            ..with_nodes(PlatformKind::Oke, it.kubernetes, &it.region.0, &it.nodes)
        },
        written::Platform::Aks(it) => Platform {
            zones: it.zones,
            storage_class: "managed-csi",
            volume_floor: Bytes::gi(4),
            ..with_nodes(PlatformKind::Aks, it.kubernetes, &it.region.0, &it.nodes)
        },
        written::Platform::Gke(it) => Platform {
            zones: it.zones,
            storage_class: "premium-rwo",
            volume_floor: Bytes::gi(10),
            project: it.project.0.clone(),
            ..with_nodes(PlatformKind::Gke, it.kubernetes, &it.region.0, &it.nodes)
        },
    }
}

fn with_nodes(kind: PlatformKind, kubernetes: KubernetesVersion, region: &str, nodes: &written::Nodes) -> Platform {
    Platform {
        kind,
        kubernetes,
        region: region.to_owned(),
        architecture: nodes.architecture,
        nodes: nodes.count,
        nodes_at_most: nodes.max.unwrap_or(nodes.count),
        node_cpu: nodes.cpu,
        node_memory: nodes.memory,
        zones: 0,
        storage_class: "",
        volume_floor: Bytes(0),
        volume_budget: None,
        project: String::new(),
    }
}
