//! The parts of CloudNativePG's Cluster that we write (cloudnative-pg/cloudnative-pg:config/crd/bases@v1.28.0).

use k8s_openapi::api::core::v1::{ResourceRequirements, TopologySpreadConstraint};
use serde::Serialize;
use std::collections::BTreeMap;

/// `apiVersion` of every kind.
pub(super) const API_VERSION: &str = "postgresql.cnpg.io/v1";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterSpec {
    pub instances: u32,
    pub image_name: String,
    pub bootstrap: Bootstrap,
    pub managed: Managed,
    pub postgresql: Postgresql,
    pub enable_superuser_access: bool,
    #[serde(rename = "enablePDB")]
    pub enable_disruption_budget: bool,
    pub primary_update_method: &'static str,
    pub smart_shutdown_timeout: u32,
    pub storage: Storage,
    pub resources: ResourceRequirements,
    pub priority_class_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bootstrap {
    pub initdb: Initdb,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Initdb {
    pub database: &'static str,
    pub owner: &'static str,
    pub data_checksums: bool,
    #[serde(rename = "postInitApplicationSQL")]
    pub post_init_application_sql: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Managed {
    pub roles: Vec<Role>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Role {
    pub name: &'static str,
    pub comment: String,
    pub ensure: &'static str,
    pub login: bool,
    pub in_roles: Vec<&'static str>,
    pub password_secret: SecretName,
}

#[derive(Serialize)]
pub(super) struct SecretName {
    pub name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Postgresql {
    /// Every value is a text.
    pub parameters: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synchronous: Option<Synchronous>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Synchronous {
    pub method: &'static str,
    pub number: u32,
    pub data_durability: &'static str,
    pub failover_quorum: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Storage {
    pub size: String,
    pub storage_class: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Affinity {
    pub pod_anti_affinity_type: &'static str,
    pub topology_key: &'static str,
}
