//! Flux's entry: one source, one Kustomization per stage, one per service in the stage of the services.
//!
//! All of them read the same `GitRepository`: `dependsOn` compares revisions only within one source
//! (fluxcd/kustomize-controller: `checkDependencies`), so only then does a stage wait for the *same commit* of the
//! stage before it. Nothing is substituted at run time (`postBuild`): what is committed is what is applied.

use super::{FLUX_NAMESPACE, Inputs};
use crate::artefact::{Artefact, Artefacts, Object, Place, Resource, Stage, meta};
use crate::spec::secrets::Secrets;
use crate::spec::units::Duration;
use serde::Serialize;
use std::collections::BTreeSet;

const FAMILY: &str = "flux";

/// The source that every Kustomization, and every release of our own chart, reads.
pub(crate) const SOURCE: &str = "taskflow";
/// The Kustomization that applies the entry itself, so that a new stage needs nobody's `kubectl`.
const ENTRY: &str = "entry";
/// The Kustomization of hand-made, encrypted files.
const SECRETS: &str = "secrets";
/// The key that decrypts them; made by hand, see `secrets/<env>/README.md`.
const DECRYPTION_KEY: &str = "sops-age";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GitRepositorySpec {
    interval: String,
    timeout: String,
    url: String,
    #[serde(rename = "ref")]
    reference: Reference,
    sparse_checkout: Vec<String>,
}

#[derive(Serialize)]
struct Reference {
    branch: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KustomizationSpec {
    interval: String,
    retry_interval: String,
    timeout: String,
    prune: bool,
    wait: bool,
    force: bool,
    deletion_policy: &'static str,
    path: String,
    source_ref: SourceRef,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<Named>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    health_check_exprs: Vec<HealthCheck>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decryption: Option<Decryption>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspend: Option<bool>,
}

#[derive(Serialize)]
struct SourceRef {
    kind: &'static str,
    name: &'static str,
}

#[derive(Clone, Serialize)]
struct Named {
    name: String,
}

#[derive(Serialize)]
struct Decryption {
    provider: &'static str,
    #[serde(rename = "secretRef")]
    secret_ref: Named,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthCheck {
    api_version: String,
    kind: String,
    current: &'static str,
}

/// One Kustomization to be.
struct Step {
    name: String,
    path: String,
    depends_on: Vec<Named>,
    stage: Stage,
    timeout: Duration,
    health: Vec<HealthCheck>,
    pointer: &'static str,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let steps = steps(inputs, artefacts);
    artefacts.add_at(FAMILY, Place::Entry, "/gitops/flux", &source(inputs));
    artefacts.add_at(FAMILY, Place::Entry, "/gitops/flux", &entry(inputs));
    for step in steps {
        let pointer = step.pointer;
        let kustomization = kustomization(inputs, step);
        artefacts.add_at(FAMILY, Place::Entry, pointer, &kustomization);
    }
}

fn source(inputs: Inputs<'_>) -> Resource<GitRepositorySpec> {
    let env = inputs.env;
    let mut folders = vec!["charts".to_owned(), format!("clusters/{}", env.name)];
    if has_encrypted_files(inputs) {
        folders.push(format!("secrets/{}", env.name));
    }
    let spec = GitRepositorySpec {
        interval: "2m".to_owned(),
        timeout: "60s".to_owned(),
        url: env.repository.clone(),
        reference: Reference {
            branch: env.branch.clone(),
        },
        // Only these reach the cluster: the artefact stays small, and no stage can read another environment.
        sparse_checkout: folders,
    };
    Resource::new(
        "source.toolkit.fluxcd.io/v1",
        "GitRepository",
        meta(FLUX_NAMESPACE, SOURCE),
        spec,
    )
}

/// Applies the entry's own folder. It waits for nothing: the stages report for themselves, and waiting for them here
/// would hold back the very commit that mends one of them.
fn entry(inputs: Inputs<'_>) -> Resource<KustomizationSpec> {
    let spec = KustomizationSpec {
        wait: false,
        path: format!("./clusters/{}/flux", inputs.env.name),
        // Removing the entry must not take the whole environment with it.
        deletion_policy: "Orphan",
        ..kustomization_spec(String::new(), minutes(5))
    };
    named(ENTRY.to_owned(), spec)
}

fn steps(inputs: Inputs<'_>, artefacts: &Artefacts) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last: Vec<Named> = Vec::new();
    for stage in Stage::ALL {
        let folder = |name: &str| format!("./clusters/{}/{name}", inputs.env.name);
        let mut of_stage = Vec::new();
        if stage == Stage::Config && has_encrypted_files(inputs) {
            let secrets = Step {
                name: SECRETS.to_owned(),
                path: format!("./secrets/{}", inputs.env.name),
                depends_on: last,
                stage: Stage::Config,
                timeout: minutes(5),
                health: Vec::new(),
                pointer: "/secrets/sops",
            };
            last = vec![Named {
                name: secrets.name.clone(),
            }];
            steps.push(secrets);
        }
        for service in parts(artefacts, stage) {
            let (name, path) = match &service {
                Some(service) => (
                    format!("{}-{service}", stage.name()),
                    folder(&format!("{}/{service}", stage.folder())),
                ),
                None => (stage.name().to_owned(), folder(stage.folder())),
            };
            of_stage.push(Step {
                name,
                path,
                depends_on: last.clone(),
                stage,
                timeout: timeout(artefacts, stage, service.as_deref()),
                health: health_checks(artefacts, stage, service.as_deref()),
                pointer: "/gitops/flux",
            });
        }
        if !of_stage.is_empty() {
            last = of_stage
                .iter()
                .map(|step| Named {
                    name: step.name.clone(),
                })
                .collect();
            steps.extend(of_stage);
        }
    }
    steps
}

/// The folders of a stage that hold objects: its own, or one for each service.
fn parts(artefacts: &Artefacts, stage: Stage) -> BTreeSet<Option<String>> {
    in_stage(artefacts, stage)
        .filter_map(|(artefact, _)| match &artefact.place {
            Place::Stage(_, service) => Some(service.clone()),
            Place::Entry | Place::Root => None,
        })
        .collect()
}

fn in_stage(artefacts: &Artefacts, stage: Stage) -> impl Iterator<Item = (&Artefact, &Object)> {
    artefacts
        .objects()
        .filter(move |(artefact, _)| artefact.stage() == Some(stage))
}

fn of_part<'a>(artefacts: &'a Artefacts, stage: Stage, service: Option<&'a str>) -> impl Iterator<Item = &'a Object> {
    in_stage(artefacts, stage).filter_map(move |(artefact, object)| {
        let here = matches!(&artefact.place, Place::Stage(_, part) if part.as_deref() == service);
        here.then_some(object)
    })
}

/// Time that a stage may take, from its objects.
///
/// A release fails and rolls back within twice its own timeout, and only then tells what happened; a Deployment says
/// that it does not progress after ten minutes (its default `progressDeadlineSeconds`). A stage that gave up earlier
/// would only say "timeout".
fn timeout(artefacts: &Artefacts, stage: Stage, service: Option<&str>) -> Duration {
    let margin = minutes(5);
    of_part(artefacts, stage, service)
        .map(|object| match object.kind.as_str() {
            "HelmRelease" => {
                let own = object.at("/spec/timeout").and_then(serde_yaml::Value::as_str);
                // Flux's own default, where a release says nothing.
                let own = own.and_then(|text| text.parse().ok()).unwrap_or(minutes(5));
                Duration(2 * own.0 + margin.0)
            }
            "Deployment" | "StatefulSet" | "DaemonSet" => minutes(15),
            "Kafka" | "Cluster" => minutes(20),
            "Job" => {
                let own = object
                    .at("/spec/activeDeadlineSeconds")
                    .and_then(serde_yaml::Value::as_u64);
                Duration(own.unwrap_or(600) * 1000 + margin.0)
            }
            _ => margin,
        })
        .max()
        .unwrap_or(margin)
}

/// Ready by the word of its controller: without this, an object whose controller has not looked at it yet counts as
/// healthy. Nothing is declared failed early: a topic waits for its broker, a store for its vault, and all of these
/// mend themselves within the stage's timeout.
const READY: &str = "has(status.conditions) && status.conditions.exists(e, e.type == 'Ready' && e.status == 'True')";
/// The same for kinds that report `applied` instead of conditions.
const APPLIED: &str = "has(status.applied) && status.applied";

/// The kinds of our operators that report, with the expression that reads it.
const REPORTING: [(&str, &str, &str); 9] = [
    ("external-secrets.io", "ClusterSecretStore", READY),
    ("external-secrets.io", "ExternalSecret", READY),
    ("external-secrets.io", "SecretStore", READY),
    ("kafka.strimzi.io", "Kafka", READY),
    ("kafka.strimzi.io", "KafkaTopic", READY),
    ("kafka.strimzi.io", "KafkaUser", READY),
    ("keda.sh", "ScaledObject", READY),
    ("postgresql.cnpg.io", "Cluster", READY),
    ("postgresql.cnpg.io", "Database", APPLIED),
];

fn health_checks(artefacts: &Artefacts, stage: Stage, service: Option<&str>) -> Vec<HealthCheck> {
    let checks: BTreeSet<HealthCheck> = of_part(artefacts, stage, service)
        .filter_map(|object| {
            let (_, _, current) = REPORTING
                .iter()
                .find(|(group, kind, _)| *group == object.group() && *kind == object.kind)?;
            Some(HealthCheck {
                api_version: object.api_version.clone(),
                kind: object.kind.clone(),
                current,
            })
        })
        .collect();
    checks.into_iter().collect()
}

fn kustomization(inputs: Inputs<'_>, step: Step) -> Resource<KustomizationSpec> {
    // Nothing is released: our releases stand suspended, and a suspended release never becomes ready.
    let waits_for_release = !inputs.env.released && step.stage >= Stage::Apps;
    let decryption = (step.name == SECRETS).then(|| Decryption {
        provider: "sops",
        secret_ref: Named {
            name: DECRYPTION_KEY.to_owned(),
        },
    });
    let spec = KustomizationSpec {
        depends_on: step.depends_on,
        health_check_exprs: step.health,
        deletion_policy: deletion_policy(step.stage),
        decryption,
        suspend: waits_for_release.then_some(true),
        ..kustomization_spec(step.path, step.timeout)
    };
    named(step.name, spec)
}

/// What happens to a stage's objects when its Kustomization itself is deleted. Whatever holds data, or CRDs under which
/// data stands, stays: getting rid of it is a decision of its own.
fn deletion_policy(stage: Stage) -> &'static str {
    match stage {
        Stage::Base | Stage::Operators | Stage::Config | Stage::Data => "Orphan",
        Stage::Observability | Stage::Dapr | Stage::Apps => "MirrorPrune",
    }
}

/// `serviceAccountName` is left out on purpose. Which rights a stage has is the cluster's decision: a locked-down Flux
/// sets `--default-service-account` on its controllers, and a name in here would override that.
fn kustomization_spec(path: String, timeout: Duration) -> KustomizationSpec {
    KustomizationSpec {
        // New commits are applied at once; this is only how often drift is looked for.
        interval: "1h".to_owned(),
        retry_interval: "2m".to_owned(),
        timeout: timeout.go(),
        prune: true,
        wait: true,
        // Recreating whatever cannot be changed would recreate volumes too.
        force: false,
        deletion_policy: "MirrorPrune",
        path,
        source_ref: SourceRef {
            kind: "GitRepository",
            name: SOURCE,
        },
        depends_on: Vec::new(),
        health_check_exprs: Vec::new(),
        decryption: None,
        suspend: None,
    }
}

fn named(name: String, spec: KustomizationSpec) -> Resource<KustomizationSpec> {
    Resource::new(
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        meta(FLUX_NAMESPACE, name),
        spec,
    )
}

const fn minutes(minutes: u64) -> Duration {
    Duration::seconds(minutes * 60)
}

fn has_encrypted_files(inputs: Inputs<'_>) -> bool {
    matches!(inputs.env.secrets, Secrets::Sops(_))
}

#[cfg(test)]
mod tests;
