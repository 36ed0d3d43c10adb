//! Users and what they may do, derived from the catalogue: nobody may do more.

use super::crd::{API_VERSION, Acl, AclResource, Authorization, CLUSTER_LABEL, KafkaUserSpec, Typed};
use super::{FAMILY, STAGE, labelled};
use crate::artefact::{Artefacts, Resource};
use crate::emit::Inputs;
use crate::resolve::{Environment, Kafka, ScalerKind, Service};
use catalogue::ConsumerGroup;
use std::collections::BTreeSet;

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let env = inputs.env;
    for service in env.services.iter().filter(|service| !service.transports.is_empty()) {
        let pointer = service.pointer();
        user(service.app_id(), &pointer, service_acls(env, service), artefacts);
    }
    let scaled: Vec<&Service> = env.services.iter().filter(|service| service.scales_on_lag()).collect();
    if matches!(env.autoscaler.kind, ScalerKind::Keda { .. }) && !scaled.is_empty() {
        user(
            Kafka::SCALER_USER,
            "/autoscaler/keda",
            scaler_acls(env, &scaled),
            artefacts,
        );
    }
}

fn user(name: &str, pointer: &str, acls: Vec<Acl>, artefacts: &mut Artefacts) {
    let mut metadata = labelled(name, name, "kafka-user");
    if let Some(labels) = &mut metadata.labels {
        labels.insert(CLUSTER_LABEL.to_owned(), Kafka::CLUSTER.to_owned());
    }
    let spec = KafkaUserSpec {
        authentication: Typed { kind: "tls" },
        authorization: Authorization { kind: "simple", acls },
    };
    let object = Resource::new(API_VERSION, "KafkaUser", metadata, spec);
    artefacts.add(FAMILY, STAGE, pointer, &object);
}

/// Reads what it consumes, writes what it publishes and its own dead letters.
///
/// An idempotent producer needs nothing more than Write on some topic
/// (apache/kafka:core/src/main/scala/kafka/server/KafkaApis.scala, `handleInitProducerIdRequest`).
fn service_acls(env: &Environment, service: &Service) -> Vec<Acl> {
    let reads: BTreeSet<&str> = service.entry.reads_topics().collect();
    let writes: BTreeSet<&str> = service.entry.writes_topics().collect();
    let here = |name: &&str| env.topic(name).is_some();
    let mut acls: Vec<Acl> = reads
        .union(&writes)
        .copied()
        .filter(here)
        .map(|name| {
            let read = reads.contains(name).then_some("Read");
            let write = writes.contains(name).then_some("Write");
            topic(name, ["Describe"].into_iter().chain(read).chain(write).collect())
        })
        .collect();
    acls.extend(
        service
            .entry
            .consumer_group
            .map(|it| group(it, vec!["Describe", "Read"])),
    );
    acls
}

/// Compares what groups have committed with what topics hold, for the services that it scales.
///
/// Both offsets ask for Describe alone (apache/kafka:core/src/main/scala/kafka/server/KafkaApis.scala,
/// `handleOffsetFetchRequest`, `handleListOffsetRequest`).
fn scaler_acls(env: &Environment, scaled: &[&Service]) -> Vec<Acl> {
    let topics: BTreeSet<&str> = scaled.iter().flat_map(|service| service.entry.reads_topics()).collect();
    let here = topics.into_iter().filter(|name| env.topic(name).is_some());
    let mut acls: Vec<Acl> = here.map(|name| topic(name, vec!["Describe"])).collect();
    let groups = scaled.iter().filter_map(|service| service.entry.consumer_group);
    acls.extend(groups.map(|it| group(it, vec!["Describe"])));
    acls
}

fn topic(name: &str, operations: Vec<&'static str>) -> Acl {
    acl("topic", name, "literal", operations)
}

/// A group of every replica has no name that could be known before its pod has.
fn group(group: ConsumerGroup, operations: Vec<&'static str>) -> Acl {
    match group {
        ConsumerGroup::Shared { name } => acl("group", name, "literal", operations),
        ConsumerGroup::PerReplica { prefix, .. } => acl("group", prefix, "prefix", operations),
    }
}

fn acl(kind: &'static str, name: &str, pattern_type: &'static str, operations: Vec<&'static str>) -> Acl {
    Acl {
        resource: AclResource {
            kind,
            name: name.to_owned(),
            pattern_type,
        },
        operations,
    }
}
