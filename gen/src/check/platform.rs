//! Rules about the platform: versions, and what it has.

use super::{Rule, Subject, rule, waivable};
use crate::diagnostic::Diagnostic;
use crate::resolve::{Environment, PlatformKind, ScalerKind};
use crate::spec::Part;
use crate::spec::platform::{OkeClusterType, Platform};
use crate::spec::secrets::{ExternalSecrets, OraclePrincipal, Secrets};
use crate::spec::units::KubernetesVersion;

pub(super) const RULES: &[Rule] = &[
    rule(
        220,
        "the platform's Kubernetes has every feature in use",
        features_exist,
    ),
    rule(
        221,
        "a scaling tolerance is one that the platform's Kubernetes has",
        tolerance_exists,
    ),
    rule(
        222,
        "a pod's own identity is one that the cluster gives",
        cluster_gives_identities,
    ),
    rule(
        223,
        "the vault knows the identities of the platform",
        vault_knows_identities,
    ),
    waivable(
        224,
        "the platform's Kubernetes is one that was tested",
        version_is_tested,
    ),
    rule(
        225,
        "what is switched off would have been there",
        switched_off_parts_exist,
    ),
];

/// The newest Kubernetes whose API server judges what is emitted.
const NEWEST_TESTED: KubernetesVersion = KubernetesVersion(36);
/// `HPAConfigurableTolerance` is on by default from here (kubernetes/kubernetes:`pkg/features/kube_features.go`@v1.36.0).
const SCALING_TOLERANCE: KubernetesVersion = KubernetesVersion(35);

/// Something that an environment may use and that not every Kubernetes has.
struct Feature {
    name: &'static str,
    since: KubernetesVersion,
    is_used: fn(&Environment) -> bool,
}

const FEATURES: &[Feature] = &[
    Feature {
        // Alpha in 1.29, on by default since.
        name: "a wait before SIGTERM that needs no shell (`preStop.sleep`)",
        since: KubernetesVersion(30),
        is_used: |_| true,
    },
    Feature {
        name: "Strimzi 1.2",
        since: KubernetesVersion(30),
        is_used: |env| env.kafka.strimzi().is_some(),
    },
    Feature {
        name: "CloudNativePG 1.30",
        since: KubernetesVersion(30),
        is_used: |env| env.postgres.cluster.is_some(),
    },
];

fn version_pointer(subject: &Subject<'_>) -> String {
    format!("{}/kubernetes", platform_pointer(subject))
}

const fn platform_pointer(subject: &Subject<'_>) -> &'static str {
    match subject.env.platform.kind {
        PlatformKind::Minikube => "/platform/minikube",
        PlatformKind::Oke => "/platform/oke",
        PlatformKind::Aks => "/platform/aks",
        PlatformKind::Gke => "/platform/gke",
    }
}

fn features_exist(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    let version = env.platform.kubernetes;
    let newer: Vec<_> = FEATURES
        .iter()
        .filter(|feature| feature.since > version && (feature.is_used)(env))
        .collect();
    let Some(floor) = newer.iter().map(|feature| feature.since).max() else {
        return Vec::new();
    };
    let names: Vec<_> = newer
        .iter()
        .map(|feature| format!("{} ({})", feature.name, feature.since))
        .collect();
    let message = format!("Kubernetes {version} does not have what is used here");
    vec![
        subject
            .error(220, &version_pointer(subject), message)
            .label(format!("older than {floor}"))
            .reason(format!(
                "an API server drops fields that it does not know; newer are {}",
                names.join(", ")
            ))
            .fix(format!("use Kubernetes {floor} or newer")),
    ]
}

fn tolerance_exists(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let version = subject.env.platform.kubernetes;
    let Some(tolerance) = subject.env.autoscaler.tolerance else {
        return Vec::new();
    };
    if version >= SCALING_TOLERANCE {
        return Vec::new();
    }
    let message = format!("Kubernetes {version} has no tolerance of an autoscaler's own");
    vec![
        subject
            .error(221, "/autoscaler/tolerance", message)
            .label(format!("{tolerance}"))
            .related(
                subject.written.span(&version_pointer(subject)),
                format!("older than {SCALING_TOLERANCE}"),
            )
            .reason("the API server drops the field without a word, and the cluster's own 10% holds")
            .fix("leave the tolerance out"),
    ]
}

fn cluster_gives_identities(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Platform::Oke(oke) = &subject.written.spec.platform else {
        return Vec::new();
    };
    let Secrets::ExternalSecrets(ExternalSecrets::Oracle(vault)) = &subject.env.secrets else {
        return Vec::new();
    };
    if oke.cluster_type == OkeClusterType::Enhanced || vault.principal == OraclePrincipal::Instance {
        return Vec::new();
    }
    let pointer = "/secrets/externalSecrets/oracle/principal";
    vec![
        subject
            .error(222, pointer, "a basic cluster gives pods no identity of their own")
            .label("a pod's own identity")
            .related(subject.written.span("/platform/oke/clusterType"), "a basic cluster")
            .reason("the vault would refuse every request, and no Secret would ever exist")
            .fix("write `principal: instance`, or use an enhanced cluster"),
    ]
}

/// A vault of a cloud, where the cluster runs, and how much stands in the way.
fn vault_knows_identities(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Secrets::ExternalSecrets(vault) = &subject.env.secrets else {
        return Vec::new();
    };
    let (name, home) = match vault {
        ExternalSecrets::Oracle(_) => ("oracle", PlatformKind::Oke),
        ExternalSecrets::AzureKeyVault(_) => ("azureKeyVault", PlatformKind::Aks),
        ExternalSecrets::GcpSecretManager(_) => ("gcpSecretManager", PlatformKind::Gke),
    };
    let platform = &subject.env.platform;
    if platform.kind == home {
        return Vec::new();
    }
    let finding = subject
        .error(
            223,
            &format!("/secrets/externalSecrets/{name}"),
            format!(
                "`{name}` is read with an identity that {} does not give",
                platform.title()
            ),
        )
        .label("another cloud's vault")
        .related(
            subject.written.span(platform_pointer(subject)),
            "where the cluster runs",
        );
    // Entra ID trusts any issuer of tokens that it can reach and was told of; the others ask their own nodes.
    let may_be_federated = home == PlatformKind::Aks && platform.kind != PlatformKind::Minikube;
    vec![if may_be_federated {
        finding
            .warning()
            .reason("Entra ID refuses the cluster's tokens until it was told to trust their issuer")
            .fix("use the platform's own vault, or make a federated credential for the cluster's issuer")
    } else {
        finding
            .reason("the vault would refuse every request, and no Secret would ever exist")
            .fix("use the platform's own vault, or `sops`")
    }]
}

fn version_is_tested(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let version = subject.env.platform.kubernetes;
    if version <= NEWEST_TESTED {
        return Vec::new();
    }
    let message = format!("Kubernetes {version} is newer than any that was tested");
    vec![
        subject
            .error(224, &version_pointer(subject), message)
            .warning()
            .label(format!("tested up to {NEWEST_TESTED}"))
            .reason("neither the pinned operators nor the API server that judges the manifests are of that version")
            .fix(format!(
                "use Kubernetes {NEWEST_TESTED}, or waive TF0224 with what you tested yourself"
            )),
    ]
}

fn switched_off_parts_exist(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let written = &subject.written.spec.disable;
    written
        .iter()
        .enumerate()
        .filter(|(_, part)| !would_be_there(subject.env, **part))
        .map(|(index, _)| {
            subject
                .error(
                    225,
                    &format!("/disable/{index}"),
                    "nothing in this environment would install it",
                )
                .warning()
                .reason("a reader takes it for a decision, and looks for what it replaces")
                .fix("take it out of `disable`")
        })
        .collect()
}

fn would_be_there(env: &Environment, part: Part) -> bool {
    match part {
        Part::Prometheus | Part::Grafana => true,
        Part::Alertmanager | Part::NodeExporter => env.has(Part::Prometheus),
        Part::Strimzi => env.kafka.strimzi().is_some(),
        Part::Dapr => env.dapr.is_some(),
        Part::Keda => matches!(env.autoscaler.kind, ScalerKind::Keda { .. }),
        Part::CloudnativePg => env.postgres.cluster.is_some(),
        Part::ExternalSecrets => matches!(env.secrets, Secrets::ExternalSecrets(_)),
    }
}
