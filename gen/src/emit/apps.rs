//! A release of `charts/taskflow-service` per service, with its values.

mod files;
mod values;
mod variables;

use super::{Inputs, base, dapr};
use crate::artefact::{Artefacts, Footprint, Place, Stage};
use crate::output::sha256;
use crate::pins;
use crate::release::{ChartSource, OnFailure, Release};
use crate::resolve::{Disruption, Environment, NAMESPACE, Service};
use crate::spec::units::{Bytes, Cpu, Duration};
use crate::yaml;
use catalogue::{ServiceKind, ports};
use std::collections::BTreeMap;
use values::{
    AppHealthCheck, Dapr, DisruptionBudget, Image, Migration, Probe, Probes, Replicas, Resources, Rollout, Scheduling,
    Shutdown, SidecarShutdown, Smoke, Values,
};

const FAMILY: &str = "apps";
const CHART: &str = "charts/taskflow-service";
/// Where the release workflow pushes images.
const IMAGES: &str = "ghcr.io/taskflow-dev";
/// What an image is called that does not exist yet; its release stands suspended.
const UNRELEASED: &str = "unreleased";

/// The Secret with the token that callers show the sidecar.
const API_TOKEN: &str = "dapr-api-token";
/// The Secret with the token that the sidecar shows the service.
const APP_TOKEN: &str = "dapr-app-token";
/// The key in both; Dapr's injector reads no other.
const TOKEN: &str = "token";

/// How long a release may take before it is rolled back.
const RELEASE_TIMEOUT: Duration = Duration::seconds(600);
/// How long a rollout may stand still; shorter than the release, so that the Deployment says why it failed.
const PROGRESS_DEADLINE: Duration = Duration::seconds(300);
/// How long all attempts of a migration may take together; shorter than the release, for the same reason.
const MIGRATION_DEADLINE: Duration = Duration::seconds(300);
/// Pods that a rolling update adds.
const SURGE: u32 = 1;

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    for service in &inputs.env.services {
        let values = values(inputs, service, artefacts);
        let release = Release {
            name: service.app_id().to_owned(),
            namespace: NAMESPACE.to_owned(),
            chart: ChartSource::GitPath(CHART.to_owned()),
            values: serde_yaml::to_value(values).expect("our own types serialise"),
            on_failure: OnFailure::RollBack,
            timeout: RELEASE_TIMEOUT,
            suspend: !inputs.env.released,
            test: true,
            changed_by_others: Vec::new(),
        };
        let release = if service.is_scaled() {
            release.changed_by_others("Deployment", &["/spec/replicas".to_owned()])
        } else {
            release
        };
        let place = Place::Stage(Stage::Apps, Some(service.app_id().to_owned()));
        release.add(artefacts, FAMILY, place, &service.pointer());
        artefacts.footprints.push(footprint(service));
    }
}

/// A pod with its sidecar. The migration is not counted: it runs before the first new pod, in the room of the surge.
fn footprint(service: &Service) -> Footprint {
    Footprint {
        name: service.app_id().to_owned(),
        namespace: NAMESPACE.to_owned(),
        pods: service.min_replicas + SURGE,
        pods_at_most: service.max_replicas + SURGE,
        cpu: Cpu(service.cpu.0 + service.sidecar.cpu.0),
        memory: Bytes(service.memory.0 + service.sidecar.memory.0),
        volume: None,
        source: "services",
    }
}

fn values(inputs: Inputs<'_>, service: &Service, artefacts: &Artefacts) -> Values {
    let env = inputs.env;
    let entry = &service.entry;
    let variables = variables::of(env, inputs.catalogue, service);
    let is_static = entry.kind == ServiceKind::StaticWeb;
    Values {
        image: image(env, service),
        // A file server runs its image's own command.
        args: is_static.then(Vec::new),
        component: if is_static { "web" } else { "service" },
        replicas: if service.is_scaled() {
            Replicas::Autoscaled
        } else {
            Replicas::Count(service.min_replicas)
        },
        rollout: rollout(service),
        disruption_budget: disruption_budget(service.disruption),
        ports: entry.ports().collect(),
        probes: Probes {
            startup: Probe {
                path: entry.probes.liveness,
            },
            liveness: Probe {
                path: entry.probes.liveness,
            },
            readiness: Probe {
                path: entry.probes.readiness,
            },
        },
        shutdown: Shutdown {
            pre_stop_seconds: service.shutdown.pre_stop.as_seconds(),
            grace_period_seconds: service.shutdown.grace.as_seconds(),
        },
        pod_env: variables.pod,
        env: variables.plain,
        secret_env: variables.secret,
        secret_files: files::of(env, service),
        checksums: checksums(artefacts, service),
        resources: Resources::new(service.cpu, service.memory, service.memory),
        scheduling: Scheduling {
            priority_class_name: base::PRIORITY_SERVICE,
            node_selector: BTreeMap::from([("kubernetes.io/arch", env.platform.architecture.label())]),
        },
        migration: entry.has_migrations().then(|| Migration {
            enabled: true,
            active_deadline_seconds: MIGRATION_DEADLINE.as_seconds(),
            secret_env: variables::of_migration(service),
        }),
        smoke: Smoke {
            enabled: true,
            image: Image {
                repository: pins::CURL.location.to_owned(),
                digest: None,
                tag: Some(pins::CURL.version.to_owned()),
            },
            path: entry.probes.readiness,
        },
        dapr: service.uses_dapr().then(|| sidecar(service)),
    }
}

fn image(env: &Environment, service: &Service) -> Image {
    let digest = env.lock.images.get(service.app_id()).filter(|_| env.released);
    Image {
        repository: format!("{IMAGES}/{}", service.app_id()),
        tag: digest.is_none().then(|| UNRELEASED.to_owned()),
        digest: digest.cloned(),
    }
}

fn disruption_budget(disruption: Disruption) -> Option<DisruptionBudget> {
    let mut budget = DisruptionBudget::default();
    match disruption {
        Disruption::None => return None,
        Disruption::MinAvailable(count) => budget.min_available = Some(count),
        Disruption::MaxUnavailable(count) => budget.max_unavailable = Some(count),
    }
    Some(budget)
}

/// The design's one missing, one more. A single pod stays until its successor is ready.
fn rollout(service: &Service) -> Rollout {
    Rollout {
        max_unavailable: u32::from(service.min_replicas > 1),
        max_surge: SURGE,
        progress_deadline_seconds: PROGRESS_DEADLINE.as_seconds(),
    }
}

/// What the sidecar reads at its start: a change restarts the pods, one after another.
fn checksums(artefacts: &Artefacts, service: &Service) -> BTreeMap<&'static str, String> {
    let texts: Vec<String> = dapr::objects_of(artefacts, service)
        .map(|object| yaml::write(&object.value))
        .collect();
    if texts.is_empty() {
        return BTreeMap::new();
    }
    BTreeMap::from([("config", sha256(texts.concat().as_bytes()))])
}

fn sidecar(service: &Service) -> Dapr {
    let memory = service.sidecar.memory;
    Dapr {
        enabled: true,
        app_id: service.app_id(),
        // Public routes are on another port: Dapr can invoke none of them.
        app_port: "internal",
        config: service.app_id(),
        app_health_check: service.entry.probes.events.map(|path| AppHealthCheck { path }),
        shutdown: SidecarShutdown {
            block_seconds: service.shutdown.sidecar_block.as_seconds(),
            graceful_seconds: service.shutdown.sidecar_graceful.as_seconds(),
        },
        // Subscriptions are objects; there are no actors to ask for.
        disable_init_endpoints: ["subscribe", "config"],
        api_token_secret: API_TOKEN,
        app_token_secret: APP_TOKEN,
        metrics_port: ports::DAPR_METRICS,
        resources: Resources::new(service.sidecar.cpu, memory, Bytes(memory.0 * 2)),
    }
}
