//! What was emitted: workloads, capacity, volumes, endpoints, alerts, secrets.

use super::{cell, counted, list};
use crate::artefact::Artefacts;
use crate::capacity::{self, Amount, Pool};
use crate::emit::Inputs;
use crate::emit::secrets::required_secrets;
use crate::resolve::{Brokers, Kafka, NAMESPACE, Service};
use crate::spec::Part;
use crate::spec::secrets::Secrets;
use crate::spec::units::Bytes;
use catalogue::{RoutePort, ServiceKind};
use serde::Serialize;
use serde_yaml::Value;
use std::collections::BTreeSet;

#[derive(Serialize)]
pub(super) struct WorkloadRow {
    name: String,
    namespace: String,
    pods: String,
    cpu: String,
    memory: String,
    source: String,
}

#[derive(Serialize)]
pub(super) struct CapacityRow {
    what: &'static str,
    offered: String,
    least: String,
    most: String,
}

pub(super) struct Capacity {
    pub(super) note: String,
    pub(super) replicas_note: String,
    pub(super) rows: Vec<CapacityRow>,
    pub(super) remarks: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct VolumeRow {
    name: String,
    count: u32,
    asked: String,
    made: String,
}

#[derive(Serialize)]
pub(super) struct Endpoint {
    address: String,
    purpose: String,
}

#[derive(Serialize)]
pub(super) struct SecretRow {
    name: String,
    purpose: String,
    keys: String,
}

#[derive(Serialize)]
pub(super) struct AlertRow {
    name: String,
    severity: String,
    summary: String,
}

pub(super) fn workloads(inputs: Inputs<'_>, artefacts: &Artefacts) -> Vec<WorkloadRow> {
    let own: BTreeSet<&str> = inputs.env.services.iter().map(Service::app_id).collect();
    let range = |least: u32, most: u32| {
        if most > least {
            format!("{least} – {most}")
        } else {
            least.to_string()
        }
    };
    let of_artefacts = artefacts
        .footprints
        .iter()
        .filter(|it| !(it.namespace == NAMESPACE && own.contains(it.name.as_str())))
        .map(|it| WorkloadRow {
            name: it.name.clone(),
            namespace: it.namespace.clone(),
            pods: range(it.pods, it.pods_at_most),
            cpu: it.cpu.to_string(),
            memory: whole(it.memory),
            source: cell(it.source),
        });
    let of_platform = capacity::system_pods(&inputs.env.platform).map(|it| WorkloadRow {
        name: it.name.to_owned(),
        namespace: it.namespace.to_owned(),
        pods: it.pods.map_or("1 a node".to_owned(), |pods| pods.to_string()),
        cpu: it.cpu.to_string(),
        memory: whole(it.memory),
        source: if it.namespace == crate::emit::FLUX_NAMESPACE {
            "Flux's own manifests"
        } else {
            "the platform"
        }
        .to_owned(),
    });
    let mut rows: Vec<WorkloadRow> = of_artefacts.chain(of_platform).collect();
    rows.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    rows
}

pub(super) fn capacity(inputs: Inputs<'_>, artefacts: &Artefacts) -> Capacity {
    let platform = &inputs.env.platform;
    let pool = Pool::new(platform, artefacts);
    let offered = capacity::allocatable(platform);
    let capped = pool.capped();
    let (all, least, most) = (pool.offered(), pool.at_least(), pool.at_most());
    let row = |what, show: fn(Amount) -> String| CapacityRow {
        what,
        offered: show(all),
        least: show(least),
        most: show(most),
    };
    let mut remarks = vec![format!(
        "One node offers {} and {}: {}. What runs on every node leaves {} and {}.",
        offered.cpu,
        whole(offered.memory),
        offered.source,
        pool.room.cpu,
        whole(pool.room.memory)
    )];
    let placement = pool.place();
    remarks.push(if placement.homeless.is_empty() {
        "Every pod at the least finds a node (placed largest first).".to_owned()
    } else {
        format!(
            "{} without a node.",
            counted(placement.homeless.len(), "pod is", "pods are")
        )
    });
    let replicas_note = if capped.is_empty() {
        "The nodes hold every maximum at once.".to_owned()
    } else {
        let shown = list(capped);
        remarks.push(format!("Not every maximum fits at once. What does: {shown}."));
        format!("The nodes do not hold every maximum at once: {shown}.")
    };
    Capacity {
        note: "What the nodes offer after what the platform keeps and what runs on every node, against what all pods \
               request; \"at the least\" includes the surge of a rolling update."
            .to_owned(),
        replicas_note,
        rows: vec![
            row("processor", |amount| amount.cpu.to_string()),
            row("memory", |amount| whole(amount.memory)),
            row("pods", |amount| amount.pods.to_string()),
        ],
        remarks,
    }
}

pub(super) fn volumes_note(inputs: Inputs<'_>, artefacts: &Artefacts) -> String {
    let platform = &inputs.env.platform;
    let (count, sum) = capacity::volumes(platform, artefacts);
    let budget = match platform.volume_budget {
        Some(budget) => format!("of {} that may be used", whole(budget)),
        None => "of as much as is paid for".to_owned(),
    };
    let floor = if platform.volume_floor == Bytes(0) {
        String::new()
    } else {
        format!(" The platform makes none below {}.", platform.volume_floor)
    };
    format!(
        "{} of class `{}`: {} {budget}.{floor}",
        counted(count, "volume", "volumes"),
        platform.storage_class,
        whole(sum)
    )
}

pub(super) fn volumes(inputs: Inputs<'_>, artefacts: &Artefacts) -> Vec<VolumeRow> {
    let with_volume = artefacts.footprints.iter().filter_map(|it| Some((it, it.volume?)));
    with_volume
        .map(|(it, volume)| VolumeRow {
            name: it.name.clone(),
            count: it.pods_at_most.max(it.pods),
            asked: volume.to_string(),
            made: inputs.env.platform.volume(volume).to_string(),
        })
        .collect()
}

pub(super) fn endpoints(inputs: Inputs<'_>, artefacts: &Artefacts) -> Vec<Endpoint> {
    let env = inputs.env;
    let mut endpoints = Vec::new();
    for service in &env.services {
        for (port_name, port) in service.entry.ports() {
            let purpose = match port_name {
                "http" if service.entry.routes.iter().any(|it| it.port == RoutePort::Http) => "routes for people",
                "http" if service.entry.kind == ServiceKind::StaticWeb => "the front end",
                "http" => "health only",
                "internal" => "routes for other services and the sidecar only",
                _ => "metrics (on each pod)",
            };
            endpoints.push(Endpoint {
                address: format!("{}.{NAMESPACE}.svc:{port}", service.app_id()),
                purpose: format!("{}: {purpose}", service.app_id()),
            });
        }
    }
    if let Brokers::Strimzi(_) = env.kafka.brokers {
        endpoints.push(Endpoint {
            address: env.kafka.bootstrap(),
            purpose: format!("Kafka cluster `{}`, TLS with client certificates", Kafka::CLUSTER),
        });
    }
    for (_, object) in artefacts.of_kind("Service") {
        let ports = object.at("/spec/ports").and_then(Value::as_sequence);
        for port in ports.into_iter().flatten() {
            let Some(number) = port.get("port").and_then(Value::as_u64) else {
                continue;
            };
            let port_name = port.get("name").and_then(Value::as_str).unwrap_or("only port");
            endpoints.push(Endpoint {
                address: format!(
                    "{}.{}.svc:{number}",
                    object.name,
                    object.namespace.as_deref().unwrap_or("default")
                ),
                purpose: format!("{}: {port_name}", object.name),
            });
        }
    }
    endpoints
}

pub(super) fn alerts(inputs: Inputs<'_>, artefacts: &Artefacts) -> Vec<AlertRow> {
    // The page stands in the repository itself: its links need no network.
    let published = format!("{}/blob/{}/", inputs.env.repository, inputs.env.branch);
    let mut rows = Vec::new();
    for (_, object) in artefacts.of_kind("PrometheusRule") {
        let groups = object.at("/spec/groups").and_then(Value::as_sequence);
        let rules = groups
            .into_iter()
            .flatten()
            .filter_map(|group| group.get("rules")?.as_sequence());
        for rule in rules.flatten() {
            let text = |path: &[&str]| {
                let found = path.iter().try_fold(rule, |value, key| value.get(key));
                found.and_then(Value::as_str)
            };
            let Some(name) = text(&["alert"]) else { continue };
            let shown = match text(&["annotations", "runbook_url"]) {
                Some(url) => match url.strip_prefix(&published) {
                    Some(path) => format!("[{name}](../../{path})"),
                    None => format!("[{name}]({url})"),
                },
                None => name.to_owned(),
            };
            rows.push(AlertRow {
                name: shown,
                severity: text(&["labels", "severity"]).unwrap_or("–").to_owned(),
                summary: cell(text(&["annotations", "summary"]).unwrap_or("–")),
            });
        }
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    rows
}

pub(super) fn alerts_note(inputs: Inputs<'_>, alerts: &[AlertRow]) -> String {
    let reach = if inputs.env.has(Part::Alertmanager) {
        "Alertmanager groups them; it has no receiver until somebody gives it one, so nobody is called."
    } else {
        "Alertmanager is switched off: they are seen in Prometheus, nobody is called."
    };
    format!(
        "{}; each links to its runbook. {reach}",
        counted(alerts.len(), "alert", "alerts")
    )
}

/// What is to be provided, and what the last column holds.
pub(super) fn secrets_note(inputs: Inputs<'_>) -> (&'static str, &'static str) {
    match inputs.env.secrets {
        Secrets::Sops(_) => (
            "Secrets (namespace/name) that the files under `secrets/` must bring. A pod reads them when it starts: after a \
             change, restart what uses them (`kubectl rollout restart`).",
            "keys",
        ),
        Secrets::ExternalSecrets(_) => (
            "Entries that the vault must hold, and the Secret that External Secrets makes of them. No value ever stands \
             in this repository. A pod reads a Secret when it starts: after a change, wait for the next refresh (1 h), then \
             restart what uses it (`kubectl rollout restart`); a database password stands in three entries, change them \
             together.",
            "entries of the vault",
        ),
    }
}

pub(super) fn secrets(inputs: Inputs<'_>) -> Vec<SecretRow> {
    let in_vault = matches!(inputs.env.secrets, Secrets::ExternalSecrets(_));
    required_secrets(inputs.env, inputs.catalogue)
        .into_iter()
        .map(|secret| SecretRow {
            name: format!("{}/{}", secret.namespace, secret.name),
            purpose: if secret.reloaded_by_postgres && !in_vault {
                format!(
                    "{} With the label `cnpg.io/reload: \"true\"` a new password is taken over.",
                    cell(&secret.purpose)
                )
            } else {
                cell(&secret.purpose)
            },
            keys: list(secret.keys.iter().map(|key| {
                if in_vault {
                    format!("`{}`", secret.vault_entry(key))
                } else {
                    format!("`{key}`")
                }
            })),
        })
        .collect()
}

/// In gibibytes where whole, else in mebibytes rounded down.
fn whole(bytes: Bytes) -> String {
    if bytes.0.is_multiple_of(1 << 30) {
        format!("{}Gi", bytes.0 >> 30)
    } else {
        format!("{}Mi", bytes.0 >> 20)
    }
}
