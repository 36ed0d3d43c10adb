//! Rules about what fits: processors, memory, pods, volumes.

use super::{Rule, Subject, rule, waivable};
use crate::capacity::{Amount, Group, Pool, volumes};
use crate::diagnostic::Diagnostic;
use crate::resolve::{PlatformKind, TraceStore};
use crate::spec::units::Bytes;
use std::collections::BTreeMap;

pub(super) const RULES: &[Rule] = &[
    rule(801, "what runs at the least fits the nodes in sum", least_fits_in_sum),
    rule(802, "every pod finds a node", every_pod_finds_a_node),
    rule(803, "no pod is larger than a node", no_pod_is_too_large),
    waivable(804, "what may run at the most fits the nodes", most_fits),
    rule(805, "all volumes fit the storage there is", volumes_fit),
    waivable(806, "a volume is as large as it is written", volumes_are_as_written),
    rule(807, "the quota holds every pod that may run", quota_holds_the_most),
    rule(808, "a pool grows to no fewer nodes than it has", pool_does_not_shrink),
];

/// The largest contributors that a message names.
const NAMED: usize = 5;

fn least_fits_in_sum(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let pool = pool(subject);
    let (asked, offered) = (pool.at_least(), pool.offered());
    if asked.fits(offered) {
        return Vec::new();
    }
    let memory = asked.memory > offered.memory;
    let (what, asked_for, there) = if memory {
        ("memory", mebibytes(asked.memory), mebibytes(offered.memory))
    } else if asked.cpu > offered.cpu {
        ("processor time", asked.cpu.to_string(), offered.cpu.to_string())
    } else {
        ("places for pods", asked.pods.to_string(), offered.pods.to_string())
    };
    let message = format!(
        "{asked_for} of {what} are requested at the least, {} node(s) offer {there}",
        pool.nodes
    );
    vec![
        subject
            .error(801, &nodes_pointer(subject, memory), message)
            .label(format!(
                "{} a node after what the platform keeps",
                shown(pool.room, memory)
            ))
            .reason(format!(
                "pods would stay Pending; the largest are {}",
                largest(&pool, memory)
            ))
            .fix("use more or larger nodes, lower what services ask for, or switch parts off with `disable`"),
    ]
}

fn no_pod_is_too_large(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let pool = pool(subject);
    pool.too_large()
        .map(|group| {
            let memory = group.pod.memory > pool.room.memory;
            let message = format!(
                "one pod of {} asks for {}, a node offers {}",
                group.name,
                shown(group.pod, memory),
                shown(pool.room, memory)
            );
            subject
                .error(803, &group_pointer(subject, group, memory), message)
                .reason("a pod runs on one node; this one would stay Pending on an empty cluster")
                .fix("use larger nodes, or let the pod ask for less")
        })
        .collect()
}

fn every_pod_finds_a_node(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let pool = pool(subject);
    if !pool.at_least().fits(pool.offered()) || pool.too_large().next().is_some() {
        return Vec::new();
    }
    let placement = pool.place();
    if placement.homeless.is_empty() {
        return Vec::new();
    }
    let names = counted(placement.homeless.iter().map(|index| pool.groups[*index].name.as_str()));
    let message = format!("{} pod(s) find no node: {names}", placement.homeless.len());
    let free: Vec<String> = placement
        .nodes
        .iter()
        .take(NAMED)
        .map(|node| {
            let used = node.iter().map(|index| pool.groups[*index].pod);
            let cpu: u64 = used.clone().map(|pod| pod.cpu.0).sum();
            let memory: u64 = used.map(|pod| pod.memory.0).sum();
            format!(
                "{}m and {}",
                pool.room.cpu.0.saturating_sub(cpu),
                mebibytes(Bytes(pool.room.memory.0.saturating_sub(memory)))
            )
        })
        .collect();
    vec![
        subject
            .error(802, &nodes_pointer(subject, true), message)
            .label("enough in sum, but not on any one node")
            .reason(format!(
                "with the largest placed first, the nodes have {} left",
                free.join("; ")
            ))
            .fix("use more or larger nodes, or smaller pods"),
    ]
}

fn most_fits(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let pool = pool(subject);
    if !pool.place().homeless.is_empty() {
        return Vec::new();
    }
    let capped = pool.capped();
    if capped.is_empty() {
        return Vec::new();
    }
    let message = format!("the nodes do not hold every maximum: {} fit", capped.join(", "));
    vec![
        subject
            .error(804, &nodes_pointer(subject, true), message)
            .warning()
            .reason("an autoscaler would ask for pods that stay Pending, and call that scaled")
            .fix(
                "use more nodes, name the most that the pool's autoscaler makes (`nodes.max`), or lower `replicas.max`",
            ),
    ]
}

fn volumes_fit(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let platform = &subject.env.platform;
    let Some(budget) = platform.volume_budget else {
        return Vec::new();
    };
    let (count, sum) = volumes(platform, subject.artefacts);
    if sum <= budget {
        return Vec::new();
    }
    let each: Vec<String> = subject
        .artefacts
        .footprints
        .iter()
        .filter_map(|footprint| {
            let volume = platform.volume(footprint.volume?);
            let pods = footprint.pods_at_most.max(footprint.pods);
            Some(format!("{} {pods} × {volume}", footprint.name))
        })
        .collect();
    let message = format!("{count} volume(s) take {sum}, there is storage for {budget}");
    let (pointer, floor) = match platform.kind {
        PlatformKind::Oke => (
            "/platform/oke/blockStorage",
            "; boot volumes count too, and the platform makes no volume below 50Gi",
        ),
        _ => ("/platform/minikube/disk", ""),
    };
    vec![
        subject
            .error(805, pointer, message)
            .label(each.join(", "))
            .reason(format!(
                "the last claims would stay Pending, and their pods with them{floor}"
            ))
            .fix("keep fewer or smaller volumes: metrics without `volume`, traces in memory, PostgreSQL outside"),
    ]
}

fn volumes_are_as_written(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    let node = match &env.tracing.store {
        TraceStore::Node { volume, .. } => Some(*volume),
        TraceStore::Memory { .. } | TraceStore::External { .. } => None,
    };
    let written = [
        ("/kafka/strimzi/volume", env.kafka.strimzi().map(|it| it.volume)),
        (
            "/postgres/cloudnativePg/volume",
            env.postgres.cluster.as_ref().map(|it| it.volume),
        ),
        ("/metrics/volume", env.metrics.volume),
        ("/tracing/zipkin/elasticsearchNode/volume", node),
    ];
    let floor = env.platform.volume_floor;
    written
        .into_iter()
        .filter_map(|(pointer, volume)| Some((pointer, volume?)))
        .filter(|(_, volume)| *volume < floor)
        .map(|(pointer, volume)| {
            let message = format!("this volume of {volume} will have {floor}");
            subject
                .error(806, pointer, message)
                .warning()
                .label(format!("the least on {} is {floor}", env.platform.title()))
                .reason("the platform rounds up without a word, and the budget is charged for it")
                .fix(format!("write `{floor}`, which costs the same"))
        })
        .collect()
}

fn quota_holds_the_most(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (artefact, quota) in subject.artefacts.of_kind("ResourceQuota") {
        let hard = |what: &str| {
            let value = quota.at("/spec/hard")?.get(what)?;
            value.as_u64().or_else(|| value.as_str()?.parse().ok())
        };
        let here = || {
            let all = subject.artefacts.footprints.iter();
            all.filter(|it| Some(&it.namespace) == quota.namespace.as_ref())
        };
        let pods: u64 = here().map(|it| u64::from(it.pods_at_most.max(it.pods))).sum();
        let claims = here().filter(|it| it.volume.is_some());
        let claims: u64 = claims.map(|it| u64::from(it.pods_at_most.max(it.pods))).sum();
        for (what, asked) in [("pods", pods), ("persistentvolumeclaims", claims)] {
            let Some(most) = hard(what).filter(|most| asked > *most) else {
                continue;
            };
            let largest = here().max_by_key(|it| it.pods_at_most);
            let pointer = largest.map_or_else(
                || artefact.pointer.clone(),
                |it| format!("/services/{}/replicas/max", it.name),
            );
            let message = format!("{asked} {what} may be wanted, the quota of the namespace holds {most}");
            found.push(
                subject
                    .error(807, &pointer, message)
                    .reason("beyond the quota the API server refuses pods; an autoscaler only shows it as an event")
                    .fix("lower the largest `replicas.max`"),
            );
        }
    }
    found
}

fn pool_does_not_shrink(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let platform = &subject.env.platform;
    if platform.nodes_at_most >= platform.nodes {
        return Vec::new();
    }
    let pointer = nodes_pointer(subject, true).replace("/memory", "/max");
    let message = format!(
        "the pool has {} nodes and may have {} at the most",
        platform.nodes, platform.nodes_at_most
    );
    vec![
        subject
            .error(808, &pointer, message)
            .related(
                subject.written.span(&pointer.replace("/max", "/count")),
                "nodes from the start",
            )
            .reason("an autoscaler takes away the nodes above its maximum, with the pods on them")
            .fix("write at least `count`, or leave `max` out"),
    ]
}

fn pool(subject: &Subject<'_>) -> Pool {
    Pool::new(&subject.env.platform, subject.artefacts)
}

fn nodes_pointer(subject: &Subject<'_>, memory: bool) -> String {
    let what = if memory { "memory" } else { "cpu" };
    match subject.env.platform.kind {
        PlatformKind::Minikube => format!("/platform/minikube/{what}"),
        PlatformKind::Oke => format!("/platform/oke/nodes/{what}"),
        PlatformKind::Aks => format!("/platform/aks/nodes/{what}"),
        PlatformKind::Gke => format!("/platform/gke/nodes/{what}"),
    }
}

/// Where the spec makes a pod as large as it is: a service's own line if there is one, else the nodes.
fn group_pointer(subject: &Subject<'_>, group: &Group, memory: bool) -> String {
    let what = if memory { "memory" } else { "cpu" };
    let own = format!("/services/{}/{what}", group.name);
    if subject.written.says(&own) {
        own
    } else {
        nodes_pointer(subject, memory)
    }
}

fn shown(amount: Amount, memory: bool) -> String {
    if memory {
        mebibytes(amount.memory)
    } else {
        amount.cpu.to_string()
    }
}

/// Whole mebibytes, rounded down.
fn mebibytes(bytes: Bytes) -> String {
    format!("{}Mi", bytes.0 >> 20)
}

fn largest(pool: &Pool, memory: bool) -> String {
    let weight = |group: &Group| {
        let each = if memory { group.pod.memory.0 } else { group.pod.cpu.0 };
        each * u64::from(group.least)
    };
    let mut groups: Vec<&Group> = pool.groups.iter().collect();
    groups.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.name.cmp(&b.name)));
    let named = groups.iter().take(NAMED).map(|group| {
        let each = shown(group.pod, memory);
        format!("{} ({} × {each})", group.name, group.least)
    });
    named.collect::<Vec<_>>().join(", ")
}

/// `a, b (2)`
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let shown = counts.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        _ => format!("{name} ({count})"),
    });
    shown.collect::<Vec<_>>().join(", ")
}
