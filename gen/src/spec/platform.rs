//! Where the cluster runs.

use super::units::{Bytes, Cpu, DnsLabel, KubernetesVersion};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where the cluster runs: exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Platform {
    /// minikube on one machine.
    Minikube(Minikube),
    /// Oracle Kubernetes Engine.
    Oke(Oke),
    /// Azure Kubernetes Service.
    Aks(Aks),
    /// Google Kubernetes Engine, Standard mode.
    Gke(Gke),
}

/// minikube on one machine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Minikube {
    /// Kubernetes version, as given to `minikube start --kubernetes-version`.
    pub kubernetes: KubernetesVersion,
    /// Processor architecture of the machine.
    pub architecture: Architecture,
    /// Cores given to minikube.
    pub cpu: Cpu,
    /// Memory given to minikube.
    pub memory: Bytes,
    /// Disk given to minikube; its storage class does not enforce sizes, so the sum is checked here.
    pub disk: Bytes,
}

/// Oracle Kubernetes Engine.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Oke {
    /// Kubernetes version of the control plane.
    pub kubernetes: KubernetesVersion,
    /// Region such as eu-frankfurt-1.
    pub region: DnsLabel,
    /// Basic clusters are free but have no workload identity.
    pub cluster_type: OkeClusterType,
    /// Availability domains that the node pool spans.
    #[schemars(range(min = 1, max = 3))]
    pub availability_domains: u8,
    /// The node pool.
    pub nodes: Nodes,
    /// Block storage that may be used in all, boot volumes included (Always Free: 200Gi).
    pub block_storage: Bytes,
    /// Boot volume of each node (at least 50Gi).
    pub boot_volume: Bytes,
}

/// OKE's two kinds of cluster.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum OkeClusterType {
    /// Free; no workload identity, no add-on management.
    Basic,
    /// Paid; workload identity.
    Enhanced,
}

/// Azure Kubernetes Service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Aks {
    /// Kubernetes version of the control plane.
    pub kubernetes: KubernetesVersion,
    /// Region such as westeurope.
    pub region: DnsLabel,
    /// Availability zones that the node pool spans.
    #[schemars(range(min = 1, max = 3))]
    pub zones: u8,
    /// The node pool.
    pub nodes: Nodes,
}

/// Google Kubernetes Engine, Standard mode.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gke {
    /// Kubernetes version of the control plane.
    pub kubernetes: KubernetesVersion,
    /// Region such as europe-west3.
    pub region: DnsLabel,
    /// The Google Cloud project.
    pub project: DnsLabel,
    /// Zones that the node pool spans.
    #[schemars(range(min = 1, max = 3))]
    pub zones: u8,
    /// The node pool.
    pub nodes: Nodes,
}

/// A pool of equal nodes.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nodes {
    /// How many.
    #[schemars(range(min = 1, max = 1000))]
    pub count: u32,
    /// How many the pool's own autoscaler may make of them; what services may grow to is checked against this. Default: `count`.
    #[schemars(range(min = 1, max = 1000))]
    pub max: Option<u32>,
    /// Processor architecture; every image must have it.
    pub architecture: Architecture,
    /// Cores of one node.
    pub cpu: Cpu,
    /// Memory of one node.
    pub memory: Bytes,
}

/// Processor architecture, as Kubernetes labels nodes with it.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// 64-bit Intel and AMD.
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Architecture {
    /// The value of the label `kubernetes.io/arch`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}
