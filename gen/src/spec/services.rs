//! Services, where they differ from the profile.

use super::units::{Bytes, Cpu, Duration};
use schemars::JsonSchema;
use serde::Deserialize;

/// A service, where it differs from the profile.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSpec {
    /// How many pods.
    pub replicas: Option<Replicas>,
    /// Processor request of one pod.
    pub cpu: Option<Cpu>,
    /// Memory request and limit of one pod.
    pub memory: Option<Bytes>,
    /// Requests of the Dapr sidecar.
    pub sidecar: Option<Sidecar>,
    /// Database connections that one pod may hold.
    #[schemars(range(min = 1, max = 200))]
    pub pool: Option<u32>,
    /// How many pods a voluntary disruption may take.
    pub disruption: Option<Disruption>,
    /// How a pod ends.
    pub shutdown: Option<Shutdown>,
    /// How events reach this service: one of `dapr` and `kafka`. Default: as `bus` says; websocket always `kafka`.
    pub transports: Option<Vec<super::Bus>>,
}

/// How many pods.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replicas {
    /// At least.
    #[schemars(range(min = 1, max = 500))]
    pub min: Option<u32>,
    /// At most; for a consumer never more than its topic has partitions.
    #[schemars(range(min = 1, max = 500))]
    pub max: Option<u32>,
}

/// Requests of the Dapr sidecar; its memory limit is twice its request.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sidecar {
    /// Processor request.
    pub cpu: Option<Cpu>,
    /// Memory request.
    pub memory: Option<Bytes>,
}

/// How many pods a voluntary disruption may take: exactly one form.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Disruption {
    /// No budget: a drain may take all of them.
    None,
    /// So many stay.
    MinAvailable(#[schemars(range(max = 500))] u32),
    /// So many may go at once.
    MaxUnavailable(#[schemars(range(max = 500))] u32),
}

/// How a pod ends: wait until nobody routes to it, let it finish, then kill it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Shutdown {
    /// Wait before SIGTERM, until no proxy routes to the pod any more. Default: 15 s.
    pub pre_stop: Option<Duration>,
    /// Time the service has after SIGTERM to finish what it began. Default: the catalogue's.
    pub drain: Option<Duration>,
    /// Time that the Dapr sidecar keeps serving after SIGTERM. Default: `preStop` + `drain`.
    pub sidecar_block: Option<Duration>,
    /// Time that the Dapr sidecar then has to end. Default: 5 s.
    pub sidecar_graceful: Option<Duration>,
    /// Time after which everything left is killed. Default: what the others need, and 10 s.
    pub grace: Option<Duration>,
}
