//! What a platform takes before anything of ours runs: reservations of each node, and pods of its own.

use super::Amount;
use crate::resolve::{Platform, PlatformKind};
use crate::spec::units::{Bytes, Cpu};

/// What one node offers to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocatable {
    /// Processor time.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Bytes,
    /// How it was calculated.
    pub source: &'static str,
}

/// A pod that the platform, or Flux, runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemPod {
    /// Its name.
    pub name: &'static str,
    /// Its namespace.
    pub namespace: &'static str,
    /// How many; `None` for one on every node.
    pub pods: Option<u32>,
    /// Processor request.
    pub cpu: Cpu,
    /// Memory request, or what it uses where it requests none.
    pub memory: Bytes,
}

impl SystemPod {
    /// What one of them asks for.
    pub fn amount(&self) -> Amount {
        Amount {
            cpu: self.cpu,
            memory: self.memory,
            pods: 1,
        }
    }
}

/// A kubelet evicts pods below this (`--eviction-hard=memory.available<100Mi`, its default and AKS's and GKE's).
const EVICTION: Bytes = Bytes::mi(100);

/// What one node offers to pods.
///
/// A machine of 16 GiB shows 15.6 GiB: kernel and firmware keep a fortieth. With that, the formula below gives for
/// Google's own example (4 cores, 16 GiB) what its documentation prints: 3920m and 13.5 million KiB.
pub fn allocatable(platform: &Platform) -> Allocatable {
    let (cpu, memory) = (platform.node_cpu, platform.node_memory);
    let kernel = Bytes(memory.0 / 40);
    let (cpu_reserved, reserved, source) = match platform.kind {
        PlatformKind::Minikube => (
            Cpu(0),
            // It reserves nothing, and its API server and controllers request no memory, but use it.
            Bytes::mi(800),
            "minikube reserves nothing; 800Mi are kept for the control plane, the kubelet and the runtime",
        ),
        PlatformKind::Oke => (
            cpu_by_steps(cpu),
            memory_by_oracle(memory),
            "OKE reserves nothing by itself; the reservation is the one of Oracle's cloud-init example (oracle-devrel/technology-engineering: oke-kube-reserved-cloud-init)",
        ),
        PlatformKind::Aks => (
            cpu_by_azure(cpu),
            // The lesser of 20 MB a pod + 50 MB and a quarter; with 250 pods (Azure CNI Overlay) the quarter is less
            // up to 20 GB.
            Bytes((memory.0 / 4).min((20 * 250 + 50) * 1_000_000)),
            "AKS: node resource reservations, 1.29 and later, at 250 pods a node",
        ),
        PlatformKind::Gke => (
            cpu_by_steps(cpu),
            memory_by_google(memory),
            "GKE: plan node sizes, memory and CPU reservations",
        ),
    };
    let eviction = if platform.kind == PlatformKind::Minikube {
        Bytes(0)
    } else {
        EVICTION
    };
    let kept = kernel.0 + reserved.0 + eviction.0;
    Allocatable {
        cpu: Cpu(cpu.0.saturating_sub(cpu_reserved.0)),
        memory: Bytes(memory.0.saturating_sub(kept)),
        source,
    }
}

/// Sum over steps: so many parts per `per` of each slice of an amount.
fn by_steps(amount: u64, steps: &[(u64, u64)], per: u64) -> u64 {
    let mut below = 0;
    steps.iter().fold(0, |sum, (up_to, parts)| {
        let slice = amount.min(*up_to).saturating_sub(below);
        below = *up_to;
        sum + slice * parts / per
    })
}

/// 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest: Google's, and Oracle's nearly.
fn cpu_by_steps(cpu: Cpu) -> Cpu {
    let steps = [(1000, 600), (2000, 100), (4000, 50), (u64::MAX, 25)];
    Cpu(by_steps(cpu.0, &steps, 10_000))
}

/// 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, 2 % of the rest.
fn memory_by_google(memory: Bytes) -> Bytes {
    let gi = |count: u64| count << 30;
    let steps = [(gi(4), 25), (gi(8), 20), (gi(16), 10), (gi(128), 6), (u64::MAX, 2)];
    Bytes(by_steps(memory.0, &steps, 100))
}

/// 255 MiB of each of the first 4 GiB, 205 of the next 4, 105 of the next 8, 60 of the next 112, 20 of the rest.
fn memory_by_oracle(memory: Bytes) -> Bytes {
    let gi = |count: u64| count << 30;
    let steps = [(gi(4), 255), (gi(8), 205), (gi(16), 105), (gi(128), 60), (u64::MAX, 20)];
    Bytes(by_steps(memory.0, &steps, 1024))
}

/// Azure's table, by the cores of the next larger row.
fn cpu_by_azure(cpu: Cpu) -> Cpu {
    const TABLE: [(u64, u64); 7] = [(1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740)];
    let cores = cpu.0.div_ceil(1000);
    let row = TABLE.iter().find(|(up_to, _)| cores <= *up_to);
    Cpu(row.map_or(740, |(_, reserved)| *reserved))
}

const KUBE_SYSTEM: &str = "kube-system";

const fn each_node(name: &'static str, cpu: u64, mebibytes: u64) -> SystemPod {
    SystemPod {
        name,
        namespace: KUBE_SYSTEM,
        pods: None,
        cpu: Cpu(cpu),
        memory: Bytes::mi(mebibytes),
    }
}

const fn pods(count: u32, name: &'static str, cpu: u64, mebibytes: u64) -> SystemPod {
    SystemPod {
        name,
        namespace: KUBE_SYSTEM,
        pods: Some(count),
        cpu: Cpu(cpu),
        memory: Bytes::mi(mebibytes),
    }
}

const fn flux(name: &'static str, cpu: u64) -> SystemPod {
    SystemPod {
        name,
        namespace: crate::emit::FLUX_NAMESPACE,
        pods: Some(1),
        cpu: Cpu(cpu),
        memory: Bytes::mi(64),
    }
}

/// fluxcd/flux2: the requests in `flux install --components=…`; nothing here needs the notification controller.
const FLUX: [SystemPod; 3] = [
    flux("source-controller", 50),
    flux("kustomize-controller", 100),
    flux("helm-controller", 100),
];

/// kubernetes/kubernetes: `componentResources` of kubeadm's static pods, the addon `coredns`; kubernetes/minikube: addons.
const MINIKUBE: [SystemPod; 7] = [
    pods(1, "kube-apiserver", 250, 0),
    pods(1, "kube-controller-manager", 200, 0),
    pods(1, "kube-scheduler", 100, 0),
    pods(1, "etcd", 100, 100),
    pods(1, "coredns", 100, 70),
    pods(1, "metrics-server", 100, 200),
    each_node("kube-proxy", 0, 20),
];

/// As `kubectl describe node` shows them on a basic cluster with flannel; it brings no metrics-server.
const OKE: [SystemPod; 6] = [
    each_node("kube-flannel-ds", 100, 50),
    each_node("csi-oci-node", 30, 70),
    each_node("proxymux-client", 50, 64),
    each_node("kube-proxy", 0, 20),
    pods(2, "coredns", 100, 70),
    pods(1, "kube-dns-autoscaler", 20, 10),
];

/// As `kubectl describe node` shows them on Azure CNI Overlay with workload identity.
const AKS: [SystemPod; 11] = [
    each_node("azure-cns", 40, 250),
    each_node("azure-ip-masq-agent", 100, 50),
    each_node("cloud-node-manager", 50, 50),
    each_node("csi-azuredisk-node", 30, 60),
    each_node("csi-azurefile-node", 30, 60),
    each_node("kube-proxy", 100, 20),
    pods(2, "coredns", 100, 70),
    pods(1, "coredns-autoscaler", 20, 10),
    pods(2, "konnectivity-agent", 20, 20),
    pods(2, "metrics-server", 50, 120),
    pods(2, "azure-wi-webhook-controller-manager", 100, 20),
];

/// As `kubectl describe node` shows them on a Standard cluster with workload identity and node-local DNS.
const GKE: [SystemPod; 11] = [
    each_node("fluentbit-gke", 105, 230),
    each_node("gke-metadata-server", 100, 100),
    each_node("gke-metrics-agent", 21, 145),
    each_node("ip-masq-agent", 10, 16),
    each_node("kube-proxy", 100, 20),
    each_node("netd", 8, 65),
    each_node("node-local-dns", 30, 50),
    each_node("pdcsi-node", 10, 20),
    pods(2, "kube-dns", 260, 110),
    pods(2, "konnectivity-agent", 10, 30),
    pods(1, "metrics-server", 48, 105),
];

/// What the platform and Flux run, with their requests.
pub fn system_pods(platform: &Platform) -> impl Iterator<Item = SystemPod> {
    let own: &'static [SystemPod] = match platform.kind {
        PlatformKind::Minikube => &MINIKUBE,
        PlatformKind::Oke => &OKE,
        PlatformKind::Aks => &AKS,
        PlatformKind::Gke => &GKE,
    };
    own.iter().chain(&FLUX).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::units::KubernetesVersion;

    fn platform(kind: PlatformKind, cpu: u64, gibibytes: u64) -> Platform {
        Platform {
            kind,
            kubernetes: "1.34".parse::<KubernetesVersion>().unwrap(),
            region: String::new(),
            architecture: crate::spec::platform::Architecture::Amd64,
            nodes: 1,
            nodes_at_most: 1,
            node_cpu: Cpu(cpu),
            node_memory: Bytes::gi(gibibytes),
            zones: 0,
            storage_class: "",
            volume_floor: Bytes(0),
            volume_budget: None,
            project: String::new(),
        }
    }

    /// Google's documentation shows a node of 4 cores and 16 GiB with `cpu: 3920m` and `memory: 13498416Ki`.
    #[test]
    fn google_s_own_example_is_met() {
        let offered = allocatable(&platform(PlatformKind::Gke, 4000, 16));
        assert_eq!(offered.cpu, Cpu(3920));
        let documented = 13_498_416_i64 << 10;
        let difference = i64::try_from(offered.memory.0).unwrap() - documented;
        assert!(difference.abs() < 64 << 20, "{difference} bytes off");
    }

    /// Azure's documentation: 8 GB and 30 pods keep 650 MB; 4 GB and many pods keep a quarter; 4 cores keep 140m.
    #[test]
    fn azure_keeps_a_quarter_of_small_machines() {
        let small = platform(PlatformKind::Aks, 4000, 4);
        let offered = allocatable(&small);
        assert_eq!(offered.cpu, Cpu(3860));
        let kept = small.node_memory.0 - offered.memory.0;
        assert_eq!(kept, (1 << 30) + (100 << 20) + small.node_memory.0 / 40);
    }

    #[test]
    fn a_reservation_never_shrinks_as_a_node_grows() {
        for kind in [
            PlatformKind::Oke,
            PlatformKind::Aks,
            PlatformKind::Gke,
            PlatformKind::Minikube,
        ] {
            let offered: Vec<Allocatable> = (1..200)
                .map(|size| allocatable(&platform(kind, size * 500, size)))
                .collect();
            for pair in offered.windows(2) {
                assert!(pair[0].memory <= pair[1].memory && pair[0].cpu <= pair[1].cpu);
            }
        }
    }
}
