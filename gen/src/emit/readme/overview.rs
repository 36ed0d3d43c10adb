//! What the environment is: facts, services, topics, pins, defaults, and how it comes to life.

use super::{cell, counted, list};
use crate::artefact::Artefacts;
use crate::emit::{FLUX_NAMESPACE, Inputs};
use crate::pins;
use crate::resolve::{Autoscaler, Brokers, Disruption, ScalerKind, Service, TraceStore};
use crate::spec::secrets::{ExternalSecrets, Secrets};
use crate::spec::{Part, Profile};
use serde::Serialize;
use serde_yaml::Value;
use std::collections::BTreeSet;

#[derive(Serialize)]
pub(super) struct Fact {
    what: &'static str,
    value: String,
}

#[derive(Serialize)]
pub(super) struct ServiceRow {
    name: &'static str,
    summary: String,
    replicas: String,
    scaling: String,
    transport: String,
    cpu: String,
    memory: String,
    sidecar: String,
    disruption: String,
}

#[derive(Serialize)]
pub(super) struct TopicRow {
    name: String,
    partitions: u32,
    retention: String,
    dead_letters: String,
    publishers: String,
    consumers: String,
}

#[derive(Serialize)]
pub(super) struct WaiverRow {
    code: String,
    until: String,
    reason: String,
}

#[derive(Serialize)]
pub(super) struct PinRow {
    name: String,
    version: String,
    source: String,
}

#[derive(Serialize)]
pub(super) struct DefaultRow {
    place: String,
    value: String,
    reason: String,
}

#[derive(Serialize)]
pub(super) struct BootstrapStep {
    number: usize,
    text: String,
}

pub(super) fn summary(inputs: Inputs<'_>) -> String {
    let env = inputs.env;
    let profile = match env.profile {
        Profile::Laptop => "One machine, nothing replicated, everything small.",
        Profile::FreeTier => "A free cloud budget: as little as still shows everything.",
        Profile::Production => "Replicated over zones; survives the loss of a node without losing an event.",
    };
    let released = if env.released {
        format!("It runs what `environments/{}.lock.yaml` names.", env.name)
    } else {
        "Nothing is released yet: the services' Kustomizations and releases stand suspended, everything else is applied."
            .to_owned()
    };
    format!("TaskFlow on {}. {profile} {released}", env.platform.title())
}

pub(super) fn facts(inputs: Inputs<'_>) -> Vec<Fact> {
    let env = inputs.env;
    let platform = &env.platform;
    let fact = |what, value: String| Fact { what, value };
    let mut facts = vec![
        fact("for people", format!("`{}`", env.domain)),
        fact(
            "nodes",
            format!(
                "{} × {} processor, {} memory ({}), Kubernetes {}",
                if platform.nodes_at_most > platform.nodes {
                    format!("{} to {}", platform.nodes, platform.nodes_at_most)
                } else {
                    platform.nodes.to_string()
                },
                platform.node_cpu,
                platform.node_memory,
                platform.architecture.label(),
                platform.kubernetes
            ),
        ),
    ];
    if !platform.region.is_empty() {
        let zones = counted(platform.zones, "zone", "zones");
        facts.push(fact("region", format!("{}, {zones}", platform.region)));
    }
    facts.extend([
        fact("Kafka", kafka(inputs)),
        fact("PostgreSQL", postgres(inputs)),
        fact("secrets", secrets(&env.secrets).to_owned()),
        fact("scaling", scaling(&env.autoscaler)),
        fact("traces", traces(inputs)),
        fact(
            "metrics",
            format!(
                "kept for {}, {}",
                env.metrics.retention,
                env.metrics
                    .volume
                    .map_or("without a volume".to_owned(), |volume| format!("on {volume}"))
            ),
        ),
        fact(
            "calculated with",
            format!("{} events/s of {} bytes", env.events_per_second, env.event_size_bytes),
        ),
    ]);
    facts
}

fn kafka(inputs: Inputs<'_>) -> String {
    let kafka = &inputs.env.kafka;
    match &kafka.brokers {
        Brokers::Strimzi(brokers) => format!(
            "Strimzi, {}, {} of which {} in sync",
            counted(brokers.count, "broker", "brokers"),
            counted(kafka.replication_factor, "copy", "copies"),
            kafka.min_in_sync
        ),
        Brokers::External(brokers) => format!(
            "outside, {} in the spec, {}",
            counted(brokers.bootstrap.len(), "seed broker", "seed brokers"),
            counted(kafka.replication_factor, "copy", "copies")
        ),
    }
}

fn postgres(inputs: Inputs<'_>) -> String {
    let postgres = &inputs.env.postgres;
    match &postgres.cluster {
        Some(cluster) => format!(
            "CloudNativePG, {}, {} connections",
            counted(cluster.instances, "instance", "instances"),
            postgres.max_connections
        ),
        None => format!("Neon, {} connections", postgres.max_connections),
    }
}

fn secrets(secrets: &Secrets) -> &'static str {
    match secrets {
        Secrets::Sops(_) => "SOPS files, decrypted by Flux",
        Secrets::ExternalSecrets(ExternalSecrets::Oracle(_)) => "External Secrets from Oracle Cloud Vault",
        Secrets::ExternalSecrets(ExternalSecrets::AzureKeyVault(_)) => "External Secrets from Azure Key Vault",
        Secrets::ExternalSecrets(ExternalSecrets::GcpSecretManager(_)) => "External Secrets from Google Secret Manager",
    }
}

fn scaling(autoscaler: &Autoscaler) -> String {
    let means = match autoscaler.kind {
        ScalerKind::Keda { .. } => "KEDA",
        ScalerKind::Hpa { .. } => "HPA with prometheus-adapter",
    };
    format!(
        "{means}, from {} waiting events a pod or {} of the requested processor",
        autoscaler.lag_per_pod, autoscaler.cpu
    )
}

fn traces(inputs: Inputs<'_>) -> String {
    let tracing = &inputs.env.tracing;
    let kept = match &tracing.store {
        TraceStore::Memory { max_spans } => {
            format!("the newest {max_spans} spans in memory, however old; gone with the pod")
        }
        TraceStore::External { retention, .. } => format!("in an external Elasticsearch for {retention}"),
        TraceStore::Node { retention, .. } => format!("in one Elasticsearch node for {retention}"),
    };
    format!(
        "every error, everything over {}, {} of the rest; {kept}",
        tracing.slower_than, tracing.keep
    )
}

pub(super) fn disabled(inputs: Inputs<'_>) -> String {
    list(inputs.env.disabled.iter().map(|part| part_name(*part)))
}

fn part_name(part: Part) -> &'static str {
    match part {
        Part::Grafana => "Grafana",
        Part::Alertmanager => "Alertmanager (alerts are seen in Prometheus, nobody is called)",
        Part::NodeExporter => "node exporter",
        Part::Strimzi => "Strimzi's release",
        Part::Dapr => "Dapr's release",
        Part::Keda => "KEDA's release",
        Part::CloudnativePg => "CloudNativePG's release",
        Part::ExternalSecrets => "External Secrets' release",
        Part::Prometheus => "kube-prometheus-stack's release",
    }
}

pub(super) fn services(inputs: Inputs<'_>) -> Vec<ServiceRow> {
    inputs
        .env
        .services
        .iter()
        .map(|service| ServiceRow {
            name: service.app_id(),
            summary: cell(service.entry.summary),
            replicas: if service.min_replicas == service.max_replicas {
                service.min_replicas.to_string()
            } else {
                format!("{} – {}", service.min_replicas, service.max_replicas)
            },
            scaling: grows_with(service).to_owned(),
            transport: list(service.transports.iter().map(ToString::to_string)),
            cpu: service.cpu.to_string(),
            memory: service.memory.to_string(),
            sidecar: if service.uses_dapr() {
                format!("{}, {}", service.sidecar.cpu, service.sidecar.memory)
            } else {
                "–".to_owned()
            },
            disruption: match service.disruption {
                Disruption::None => "–".to_owned(),
                Disruption::MinAvailable(count) => format!("{count} stay"),
                Disruption::MaxUnavailable(count) => format!("{count} may go"),
            },
        })
        .collect()
}

fn grows_with(service: &Service) -> &'static str {
    if service.scales_on_lag() {
        "lag and processor"
    } else if service.is_scaled() {
        "processor"
    } else {
        "–"
    }
}

pub(super) fn topics_note(inputs: Inputs<'_>) -> String {
    format!(
        "{} of each partition; a publish succeeds as soon as {} in sync. Seed brokers: `{}`.",
        counted(inputs.env.kafka.replication_factor, "copy", "copies"),
        match inputs.env.kafka.min_in_sync {
            1 => "1 is".to_owned(),
            several => format!("{several} are"),
        },
        inputs.env.kafka.bootstrap()
    )
}

pub(super) fn topics(inputs: Inputs<'_>) -> Vec<TopicRow> {
    let catalogue = inputs.catalogue;
    inputs
        .env
        .topics
        .iter()
        .map(|topic| TopicRow {
            name: topic.name.clone(),
            partitions: topic.partitions,
            retention: topic.retention.to_string(),
            dead_letters: topic
                .dead_letter
                .as_ref()
                .map_or("–".to_owned(), |twin| twin.name.clone()),
            publishers: match &topic.origin {
                Some(origin) => format!("whoever gives up on {origin}"),
                None => list(catalogue.publishers_of(&topic.name).map(|it| it.app_id)),
            },
            consumers: list(catalogue.consumers_of(&topic.name).map(|(it, _)| it.app_id)),
        })
        .collect()
}

pub(super) fn waivers(inputs: Inputs<'_>) -> Vec<WaiverRow> {
    let waivers = inputs.env.waivers.iter();
    waivers
        .map(|waiver| WaiverRow {
            code: waiver.code.clone(),
            until: waiver.until.to_string(),
            reason: cell(&waiver.reason),
        })
        .collect()
}

/// The pins that something here names.
pub(super) fn pins(artefacts: &Artefacts) -> Vec<PinRow> {
    let mut texts = BTreeSet::new();
    for (_, object) in artefacts.objects() {
        addresses(&object.value, &mut texts);
    }
    let named = |pin: &pins::Pin| {
        let image = pin.image();
        texts
            .iter()
            .any(|text| text.contains(pin.location) || text.starts_with(&image))
    };
    let by_location = pins::ALL.iter().filter(|pin| named(pin));
    by_location
        .map(|pin| PinRow {
            name: pin.name.to_owned(),
            version: if pin.brings == pin.version {
                pin.version.to_owned()
            } else {
                format!("{} (brings {})", pin.version, pin.brings)
            },
            source: match pin.evidence {
                pins::Evidence::ReadFrom(place) => cell(place),
                pins::Evidence::Unverified(reason) => format!("**unverified**: {}", cell(reason)),
            },
        })
        .collect()
}

/// Every one-line text with a slash: where images and charts are named.
fn addresses<'a>(value: &'a Value, texts: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) if text.contains('/') && !text.contains('\n') => {
            texts.insert(text);
        }
        Value::Sequence(items) => items.iter().for_each(|item| addresses(item, texts)),
        Value::Mapping(mapping) => mapping.values().for_each(|inner| addresses(inner, texts)),
        _ => {}
    }
}

pub(super) fn defaults(inputs: Inputs<'_>) -> Vec<DefaultRow> {
    let defaults = inputs.env.defaults.iter();
    defaults
        .map(|default| DefaultRow {
            place: default.pointer.clone(),
            value: cell(&default.value),
            reason: cell(default.reason),
        })
        .collect()
}

pub(super) fn bootstrap(inputs: Inputs<'_>) -> Vec<BootstrapStep> {
    let name = &inputs.env.name;
    let mut steps = vec![
        "Make the cluster as the table above says; this repository begins where a cluster answers `kubectl`."
            .to_owned(),
        "Install Flux 2.9: `flux install --components=source-controller,kustomize-controller,helm-controller`."
            .to_owned(),
    ];
    match &inputs.env.secrets {
        Secrets::Sops(_) => steps.push(format!(
            "Provide the secrets as [secrets/{name}/README.md](../../secrets/{name}/README.md) says, with the key in \
             Secret `{FLUX_NAMESPACE}/sops-age`."
        )),
        Secrets::ExternalSecrets(_) => steps.push(
            "Put the entries listed under *Secrets to provide* into the vault, and let the identity named in the spec \
             read them."
                .to_owned(),
        ),
    }
    steps.push(format!(
        "Start it: `kubectl apply --server-side -f clusters/{name}/flux/`. From then on Flux applies that folder \
         itself (Kustomization `entry`)."
    ));
    if !inputs.env.released {
        steps.push(format!(
            "Release the services: `released: true` in `environments/{name}.yaml` and their digests in \
             `environments/{name}.lock.yaml`."
        ));
    }
    steps
        .into_iter()
        .enumerate()
        .map(|(index, text)| BootstrapStep {
            number: index + 1,
            text,
        })
        .collect()
}
