//! The parts of Strimzi's custom resources that we write (strimzi/strimzi-kafka-operator:api@1.2.0, `kafka.strimzi.io/v1`).

use k8s_openapi::api::core::v1::{
    ConfigMapKeySelector, ResourceRequirements, SecurityContext, TopologySpreadConstraint,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// `apiVersion` of every kind.
pub(super) const API_VERSION: &str = "kafka.strimzi.io/v1";
/// The label that ties a pool, a topic or a user to its cluster.
pub(super) const CLUSTER_LABEL: &str = "strimzi.io/cluster";

/// A value of Kafka's configuration.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ConfigValue {
    Switch(bool),
    /// 64 bits: 90 days in milliseconds do not fit into 32.
    Number(u64),
    Text(&'static str),
}

/// Kafka's configuration, by key.
pub(super) type Config = BTreeMap<&'static str, ConfigValue>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KafkaSpec {
    pub kafka: Brokers,
    pub entity_operator: EntityOperator,
    pub kafka_exporter: Exporter,
    pub cluster_ca: Authority,
    pub clients_ca: Authority,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Brokers {
    pub version: &'static str,
    pub metadata_version: &'static str,
    pub listeners: Vec<Listener>,
    pub authorization: Typed,
    pub config: Config,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<Rack>,
    pub metrics_config: MetricsConfig,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listener {
    pub name: &'static str,
    pub port: u16,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub tls: bool,
    pub authentication: Typed,
}

/// An object that is nothing but its `type`.
#[derive(Serialize)]
pub(super) struct Typed {
    #[serde(rename = "type")]
    pub kind: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rack {
    pub topology_key: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MetricsConfig {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub value_from: ConfigMapSource,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigMapSource {
    pub config_map_key_ref: ConfigMapKeySelector,
}

/// A certificate authority that the operator makes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Authority {
    pub generate_secret_owner_reference: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntityOperator {
    pub topic_operator: Operator,
    pub user_operator: Operator,
    pub template: EntityOperatorTemplate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Operator {
    pub resources: ResourceRequirements,
    pub jvm_options: JvmOptions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntityOperatorTemplate {
    pub pod: PodTemplate,
    pub topic_operator_container: ContainerTemplate,
    pub user_operator_container: ContainerTemplate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exporter {
    pub topic_regex: String,
    pub group_regex: String,
    pub resources: ResourceRequirements,
    pub template: ExporterTemplate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExporterTemplate {
    pub deployment: DeploymentTemplate,
    pub pod: PodTemplate,
    pub container: ContainerTemplate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeploymentTemplate {
    pub deployment_strategy: &'static str,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodTemplate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<u64>,
    pub priority_class_name: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerTemplate {
    pub security_context: SecurityContext,
}

#[derive(Serialize)]
pub(super) struct JvmOptions {
    #[serde(rename = "-Xms")]
    pub least_heap: String,
    #[serde(rename = "-Xmx")]
    pub most_heap: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KafkaNodePoolSpec {
    pub replicas: u32,
    pub roles: Vec<&'static str>,
    pub storage: Storage,
    pub resources: ResourceRequirements,
    pub jvm_options: JvmOptions,
    pub template: PoolTemplate,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PoolTemplate {
    pub pod: PodTemplate,
    pub kafka_container: ContainerTemplate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init_container: Option<ContainerTemplate>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Storage {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub volumes: Vec<Volume>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    pub id: u32,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub size: String,
    pub class: &'static str,
    pub delete_claim: bool,
    pub kraft_metadata: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KafkaTopicSpec {
    pub partitions: u32,
    pub replicas: u32,
    pub config: Config,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KafkaUserSpec {
    pub authentication: Typed,
    pub authorization: Authorization,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Authorization {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub acls: Vec<Acl>,
}

/// What a user may do with a resource.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Acl {
    pub resource: AclResource,
    pub operations: Vec<&'static str>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AclResource {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub name: String,
    pub pattern_type: &'static str,
}
