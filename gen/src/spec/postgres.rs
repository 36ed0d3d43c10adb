//! Where PostgreSQL comes from.

use super::units::{Bytes, Cpu};
use schemars::JsonSchema;
use serde::Deserialize;

/// Where PostgreSQL comes from: exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Postgres {
    /// A CloudNativePG cluster inside this one.
    CloudnativePg(CloudnativePg),
    /// Neon, or any PostgreSQL outside with a pooled and a direct address.
    Neon(Neon),
}

/// A CloudNativePG cluster inside this one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudnativePg {
    /// Instances: one primary, the others replicas.
    #[schemars(range(min = 1, max = 9))]
    pub instances: u32,
    /// Volume of each instance.
    pub volume: Bytes,
    /// `max_connections` of the server.
    #[schemars(range(min = 20, max = 5000))]
    pub max_connections: u32,
    /// Processor request of each instance.
    pub cpu: Option<Cpu>,
    /// Memory of each instance; a quarter of it becomes shared buffers.
    pub memory: Option<Bytes>,
}

/// Neon, or any PostgreSQL outside with a pooled and a direct address.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Neon {
    /// Connections that all services together may hold.
    #[schemars(range(min = 20, max = 10_000))]
    pub max_connections: u32,
}
