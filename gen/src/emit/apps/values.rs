//! The values of `charts/taskflow-service`, as far as gen sets them; its `values.schema.json` is the contract.

use crate::spec::units::{Bytes, Cpu};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Values {
    pub(super) image: Image,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) args: Option<Vec<String>>,
    pub(super) component: &'static str,
    pub(super) replicas: Replicas,
    pub(super) rollout: Rollout,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disruption_budget: Option<DisruptionBudget>,
    pub(super) ports: BTreeMap<&'static str, u16>,
    pub(super) probes: Probes,
    pub(super) shutdown: Shutdown,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) pod_env: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) env: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secret_env: BTreeMap<&'static str, SecretKey>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) secret_files: Vec<SecretFiles>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) checksums: BTreeMap<&'static str, String>,
    pub(super) resources: Resources,
    pub(super) scheduling: Scheduling,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) migration: Option<Migration>,
    pub(super) smoke: Smoke,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dapr: Option<Dapr>,
}

/// By digest, or by a tag where there is no digest.
#[derive(Serialize)]
pub(super) struct Image {
    pub(super) repository: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
}

/// How many pods, or that somebody else decides.
pub(super) enum Replicas {
    Count(u32),
    Autoscaled,
}

impl Serialize for Replicas {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => serializer.serialize_u32(*count),
            Self::Autoscaled => serializer.serialize_str("autoscaled"),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rollout {
    pub(super) max_unavailable: u32,
    pub(super) max_surge: u32,
    pub(super) progress_deadline_seconds: u64,
}

/// Exactly one of the two.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DisruptionBudget {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_available: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_unavailable: Option<u32>,
}

#[derive(Serialize)]
pub(super) struct Probes {
    pub(super) startup: Probe,
    pub(super) liveness: Probe,
    pub(super) readiness: Probe,
}

#[derive(Serialize)]
pub(super) struct Probe {
    pub(super) path: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shutdown {
    pub(super) pre_stop_seconds: u64,
    pub(super) grace_period_seconds: u64,
}

#[derive(Clone, Serialize)]
pub(super) struct SecretKey {
    pub(super) secret: String,
    pub(super) key: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) optional: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecretFiles {
    pub(super) secret: String,
    pub(super) mount_path: &'static str,
    pub(super) items: Vec<SecretFile>,
}

#[derive(Serialize)]
pub(super) struct SecretFile {
    pub(super) key: &'static str,
    pub(super) path: &'static str,
}

/// The chart adds ephemeral storage.
#[derive(Serialize)]
pub(super) struct Resources {
    pub(super) requests: Requests,
    pub(super) limits: Limits,
}

#[derive(Serialize)]
pub(super) struct Requests {
    pub(super) cpu: String,
    pub(super) memory: String,
}

#[derive(Serialize)]
pub(super) struct Limits {
    pub(super) memory: String,
}

impl Resources {
    /// No processor limit: it would throttle before the node is busy.
    pub(super) fn new(cpu: Cpu, memory: Bytes, memory_limit: Bytes) -> Self {
        Self {
            requests: Requests {
                cpu: cpu.to_string(),
                memory: memory.to_string(),
            },
            limits: Limits {
                memory: memory_limit.to_string(),
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scheduling {
    pub(super) priority_class_name: &'static str,
    pub(super) node_selector: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Migration {
    pub(super) enabled: bool,
    pub(super) active_deadline_seconds: u64,
    pub(super) secret_env: BTreeMap<&'static str, SecretKey>,
}

#[derive(Serialize)]
pub(super) struct Smoke {
    pub(super) enabled: bool,
    pub(super) image: Image,
    pub(super) path: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dapr {
    pub(super) enabled: bool,
    pub(super) app_id: &'static str,
    pub(super) app_port: &'static str,
    pub(super) config: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_health_check: Option<AppHealthCheck>,
    pub(super) shutdown: SidecarShutdown,
    pub(super) disable_init_endpoints: [&'static str; 2],
    pub(super) api_token_secret: &'static str,
    pub(super) app_token_secret: &'static str,
    pub(super) metrics_port: u16,
    pub(super) resources: Resources,
}

#[derive(Serialize)]
pub(super) struct AppHealthCheck {
    pub(super) path: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SidecarShutdown {
    pub(super) block_seconds: u64,
    pub(super) graceful_seconds: u64,
}
