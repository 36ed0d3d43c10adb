//! The Kafka cluster that Strimzi runs, and the pools of its nodes.

use super::super::container::resources;
use super::crd::{
    API_VERSION, Authority, Brokers, CLUSTER_LABEL, Config, ConfigMapSource, ConfigValue, ContainerTemplate,
    DeploymentTemplate, EntityOperator, EntityOperatorTemplate, Exporter, ExporterTemplate, JvmOptions,
    KafkaNodePoolSpec, KafkaSpec, Listener, MetricsConfig, Operator, PodTemplate, PoolTemplate, Rack, Storage, Typed,
    Volume,
};
use super::{FAMILY, STAGE, labelled, lag_groups, metrics, restricted, topic_names};
use crate::artefact::{Artefacts, Footprint, Resource};
use crate::emit::Inputs;
use crate::emit::base::{PRIORITY_DATA, PRIORITY_OBSERVABILITY, never_pruned};
use crate::pins;
use crate::resolve::{Environment, Kafka, NAMESPACE, StrimziBrokers};
use crate::spec::Profile;
use crate::spec::units::{Bytes, Cpu};
use k8s_openapi::api::core::v1::{ConfigMapKeySelector, TopologySpreadConstraint};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// Where the spec speaks of it.
const POINTER: &str = "/kafka/strimzi";
/// The metadata version that belongs to [`pins::KAFKA_VERSION`]
/// (strimzi/strimzi-kafka-operator:kafka-versions.yaml@1.2.0).
const METADATA_VERSION: &str = "4.3-IV0";
const ZONE: &str = "topology.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";

pub(super) fn emit(inputs: Inputs<'_>, brokers: &StrimziBrokers, artefacts: &mut Artefacts) {
    let env = inputs.env;
    let sizes = Sizes::of(env.profile);
    cluster(inputs, &sizes, artefacts);
    let roles = if brokers.dual_role {
        vec!["controller", "broker"]
    } else {
        vec!["broker"]
    };
    let nodes = Nodes {
        pool: StrimziBrokers::BROKER_POOL,
        count: brokers.count,
        roles,
        cpu: brokers.cpu,
        memory: brokers.memory,
        heap: brokers.heap(),
        volume: env.platform.volume(brokers.volume),
        source: "the spec; 34m and 513 MiB were measured at rest with a heap of 512 MiB",
    };
    pool(env, &nodes, artefacts);
    if !brokers.dual_role {
        pool(env, &sizes.controllers(env), artefacts);
    }
    for (name, cpu, memory, source) in [
        (
            "entity-operator",
            Cpu(2 * sizes.operator_cpu.0),
            Bytes(2 * sizes.operator_memory.0),
            "two operators; Strimzi's system tests run each with 256 MiB, and 128 MiB is too little to start",
        ),
        (
            "kafka-exporter",
            sizes.exporter_cpu,
            sizes.exporter_memory,
            "one small Go process",
        ),
    ] {
        artefacts.footprints.push(Footprint {
            name: format!("{}-{name}", Kafka::CLUSTER),
            namespace: NAMESPACE.to_owned(),
            pods: 1,
            pods_at_most: 1,
            cpu,
            memory,
            volume: None,
            source,
        });
    }
}

/// What stands beside the brokers, by profile.
///
/// The memory of operators and controllers is what Strimzi's own system tests run with
/// (strimzi/strimzi-kafka-operator:systemtest/src/main/java/io/strimzi/systemtest/templates/crd@1.2.0: 256 MiB, since
/// 128 MiB ends in an out-of-memory kill at the start); production has twice as much and more.
struct Sizes {
    operator_cpu: Cpu,
    operator_memory: Bytes,
    operator_heap: Bytes,
    exporter_cpu: Cpu,
    exporter_memory: Bytes,
    controller_cpu: Cpu,
    controller_memory: Bytes,
}

impl Sizes {
    const fn of(profile: Profile) -> Self {
        match profile {
            Profile::Production => Self {
                operator_cpu: Cpu(100),
                operator_memory: Bytes::mi(512),
                operator_heap: Bytes::mi(256),
                exporter_cpu: Cpu(50),
                exporter_memory: Bytes::mi(128),
                controller_cpu: Cpu(250),
                controller_memory: Bytes::gi(1),
            },
            Profile::Laptop | Profile::FreeTier => Self {
                operator_cpu: Cpu(10),
                operator_memory: Bytes::mi(256),
                operator_heap: Bytes::mi(112),
                exporter_cpu: Cpu(10),
                exporter_memory: Bytes::mi(64),
                controller_cpu: Cpu(100),
                controller_memory: Bytes::mi(512),
            },
        }
    }

    /// Controllers of their own: they hold the metadata log alone, of which Kafka keeps 100 MiB.
    fn controllers(&self, env: &Environment) -> Nodes {
        Nodes {
            pool: StrimziBrokers::CONTROLLER_POOL,
            count: StrimziBrokers::CONTROLLERS,
            roles: vec!["controller"],
            cpu: self.controller_cpu,
            memory: self.controller_memory,
            heap: Bytes(self.controller_memory.0 / 2),
            volume: env.platform.volume(Bytes::gi(10)),
            source: "three, so that one may be lost; Strimzi's system tests run one with 256 MiB",
        }
    }
}

/// The nodes of a pool.
struct Nodes {
    pool: &'static str,
    count: u32,
    roles: Vec<&'static str>,
    cpu: Cpu,
    memory: Bytes,
    heap: Bytes,
    volume: Bytes,
    source: &'static str,
}

fn cluster(inputs: Inputs<'_>, sizes: &Sizes, artefacts: &mut Artefacts) {
    let env = inputs.env;
    let mut metadata = labelled(Kafka::CLUSTER, "kafka", "broker");
    metadata.annotations = Some(never_pruned("deleting it stops every broker"));
    let authority = || Authority {
        // The authorities outlive the cluster: its volumes can be taken up again, and clients still trust it.
        generate_secret_owner_reference: false,
    };
    let spec = KafkaSpec {
        kafka: Brokers {
            version: pins::KAFKA_VERSION,
            metadata_version: METADATA_VERSION,
            listeners: vec![Listener {
                name: "tls",
                port: StrimziBrokers::PORT,
                kind: "internal",
                tls: true,
                authentication: Typed { kind: "tls" },
            }],
            authorization: Typed { kind: "simple" },
            config: config(env),
            rack: (env.platform.zones > 1).then_some(Rack { topology_key: ZONE }),
            metrics_config: MetricsConfig {
                kind: "jmxPrometheusExporter",
                value_from: ConfigMapSource {
                    config_map_key_ref: ConfigMapKeySelector {
                        name: metrics::CONFIG_MAP.to_owned(),
                        key: metrics::KEY.to_owned(),
                        ..ConfigMapKeySelector::default()
                    },
                },
            },
        },
        entity_operator: entity_operator(sizes),
        kafka_exporter: exporter(inputs, sizes),
        cluster_ca: authority(),
        clients_ca: authority(),
    };
    let kafka = Resource::new(API_VERSION, "Kafka", metadata, spec);
    artefacts.add(FAMILY, STAGE, POINTER, &kafka);
}

fn config(env: &Environment) -> Config {
    use ConfigValue::{Number, Switch};
    let copies = || Number(env.kafka.replication_factor.into());
    let in_sync = || Number(env.kafka.min_in_sync.into());
    let rebalance_delay = match env.profile {
        Profile::Laptop => 0, // one consumer a group: nobody to wait for
        Profile::FreeTier | Profile::Production => 3000,
    };
    Config::from([
        // A misspelt name is an error, not a topic with one copy.
        ("auto.create.topics.enable", Switch(false)),
        ("default.replication.factor", copies()),
        ("group.initial.rebalance.delay.ms", Number(rebalance_delay)),
        ("min.insync.replicas", in_sync()),
        ("offsets.retention.minutes", Number(offsets_retention_minutes(env))),
        ("offsets.topic.replication.factor", copies()),
        ("share.coordinator.state.topic.min.isr", in_sync()),
        ("share.coordinator.state.topic.replication.factor", copies()),
        ("transaction.state.log.min.isr", in_sync()),
        ("transaction.state.log.replication.factor", copies()),
    ])
}

/// A group that stood still for as long as its topic keeps records must find its offsets again, or it would start anew.
/// At least Kafka's own week; at most what its 32 bits hold.
fn offsets_retention_minutes(env: &Environment) -> u64 {
    let longest = env.topics.iter().map(|topic| topic.retention.0).max().unwrap_or(0);
    longest.div_ceil(60_000).clamp(7 * 24 * 60, i32::MAX as u64)
}

fn entity_operator(sizes: &Sizes) -> EntityOperator {
    let operator = || Operator {
        resources: resources(sizes.operator_cpu, sizes.operator_memory),
        jvm_options: heap(sizes.operator_heap),
    };
    EntityOperator {
        topic_operator: operator(),
        user_operator: operator(),
        template: EntityOperatorTemplate {
            pod: data_pod(),
            topic_operator_container: container(),
            user_operator_container: container(),
        },
    }
}

fn exporter(inputs: Inputs<'_>, sizes: &Sizes) -> Exporter {
    Exporter {
        topic_regex: topic_names(inputs.env),
        group_regex: lag_groups(inputs.catalogue),
        resources: resources(sizes.exporter_cpu, sizes.exporter_memory),
        template: ExporterTemplate {
            deployment: DeploymentTemplate {
                // Two at once would count every lag twice for as long as both are scraped.
                deployment_strategy: "Recreate",
            },
            pod: PodTemplate {
                priority_class_name: PRIORITY_OBSERVABILITY,
                ..PodTemplate::default()
            },
            container: container(),
        },
    }
}

fn pool(env: &Environment, nodes: &Nodes, artefacts: &mut Artefacts) {
    let mut metadata = labelled(nodes.pool, "kafka", nodes.pool);
    if let Some(labels) = &mut metadata.labels {
        labels.insert(CLUSTER_LABEL.to_owned(), Kafka::CLUSTER.to_owned());
    }
    metadata.annotations = Some(never_pruned("deleting it stops these nodes"));
    let spec = KafkaNodePoolSpec {
        replicas: nodes.count,
        roles: nodes.roles.clone(),
        storage: Storage {
            kind: "jbod",
            volumes: vec![Volume {
                id: 0,
                kind: "persistent-claim",
                size: nodes.volume.to_string(),
                class: env.platform.storage_class,
                delete_claim: false,
                kraft_metadata: "shared",
            }],
        },
        resources: resources(nodes.cpu, nodes.memory),
        jvm_options: heap(nodes.heap),
        template: PoolTemplate {
            pod: PodTemplate {
                // A broker that is killed before it has closed its log reads all of it at its next start.
                termination_grace_period_seconds: Some(120),
                topology_spread_constraints: spread(env, nodes),
                ..data_pod()
            },
            kafka_container: container(),
            init_container: (env.platform.zones > 1).then(container),
        },
    };
    let object = Resource::new(API_VERSION, "KafkaNodePool", metadata, spec);
    artefacts.add(FAMILY, STAGE, POINTER, &object);
    artefacts.footprints.push(Footprint {
        name: format!("{}-{}", Kafka::CLUSTER, nodes.pool),
        namespace: NAMESPACE.to_owned(),
        pods: nodes.count,
        pods_at_most: nodes.count,
        cpu: nodes.cpu,
        memory: nodes.memory,
        volume: Some(nodes.volume),
        source: nodes.source,
    });
}

/// Nodes of one pool lie apart: by zone, since their volumes cannot leave it, and by machine.
fn spread(env: &Environment, nodes: &Nodes) -> Vec<TopologySpreadConstraint> {
    let labels = [
        (CLUSTER_LABEL.to_owned(), Kafka::CLUSTER.to_owned()),
        ("strimzi.io/pool-name".to_owned(), nodes.pool.to_owned()),
    ];
    let zone = (env.platform.zones > 1).then_some(ZONE);
    let keys = zone.into_iter().chain([HOST]).filter(|_| nodes.count > 1);
    keys.map(|key| TopologySpreadConstraint {
        label_selector: Some(LabelSelector {
            match_labels: Some(labels.clone().into()),
            ..LabelSelector::default()
        }),
        max_skew: 1,
        topology_key: key.to_owned(),
        when_unsatisfiable: "DoNotSchedule".to_owned(),
        ..TopologySpreadConstraint::default()
    })
    .collect()
}

/// No security context for the pod: the operator's own sets the group that the volume belongs to, and one of ours
/// would replace it (strimzi/strimzi-kafka-operator: BaselinePodSecurityProvider@1.2.0).
fn data_pod() -> PodTemplate {
    PodTemplate {
        priority_class_name: PRIORITY_DATA,
        ..PodTemplate::default()
    }
}

fn container() -> ContainerTemplate {
    ContainerTemplate {
        security_context: restricted(),
    }
}

/// A fixed heap, in whole mebibytes: one that grows meets the memory limit at the worst moment.
fn heap(size: Bytes) -> JvmOptions {
    let size = format!("{}m", size.0 >> 20);
    JvmOptions {
        least_heap: size.clone(),
        most_heap: size,
    }
}
