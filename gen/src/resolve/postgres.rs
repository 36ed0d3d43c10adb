//! PostgreSQL.

use super::Defaults;
use crate::spec::postgres as written;
use crate::spec::units::{Bytes, Cpu};
use crate::spec::{Profile, Spec};

/// PostgreSQL, wherever it comes from.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// Connections that may be open at once.
    pub max_connections: u32,
    /// The cluster that CloudNativePG runs here; `None` for an external one.
    pub cluster: Option<Cluster>,
    /// Where the spec speaks of it.
    pub pointer: &'static str,
}

/// A CloudNativePG cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Instances.
    pub instances: u32,
    /// Volume of each.
    pub volume: Bytes,
    /// Processor request of each.
    pub cpu: Cpu,
    /// Memory of each.
    pub memory: Bytes,
}

impl Postgres {
    /// Connections that CloudNativePG and the server keep from the services: three for superusers
    /// (`superuser_reserved_connections`), the rest for the instance manager, its probes and its metrics.
    pub const RESERVED: u32 = 8;

    /// The Secret with a service's role, password and addresses.
    pub fn secret(app_id: &str) -> String {
        format!("postgres-{app_id}")
    }

    /// Connections that the services may hold together.
    pub fn connections_for_services(&self) -> u32 {
        match self.cluster {
            Some(_) => self.max_connections.saturating_sub(Self::RESERVED),
            None => self.max_connections,
        }
    }
}

impl Cluster {
    /// Its name.
    pub const NAME: &'static str = "taskflow-postgres";

    /// A quarter of the memory, as PostgreSQL's manual advises; the rest is for connections and the page cache.
    pub fn shared_buffers(&self) -> Bytes {
        Bytes(self.memory.0 / 4)
    }
}

pub(super) fn resolve(spec: &Spec, defaults: &mut Defaults) -> Postgres {
    match &spec.postgres {
        written::Postgres::CloudnativePg(it) => {
            let at = |key: &str| format!("/postgres/cloudnativePg/{key}");
            let (cpu, memory) = match spec.profile {
                Profile::Laptop | Profile::FreeTier => (Cpu(100), Bytes::mi(512)),
                Profile::Production => (Cpu(1000), Bytes::gi(4)),
            };
            Postgres {
                max_connections: it.max_connections,
                cluster: Some(Cluster {
                    instances: it.instances,
                    volume: it.volume,
                    cpu: defaults.take(it.cpu, at("cpu"), cpu, "the profile"),
                    memory: defaults.take(
                        it.memory,
                        at("memory"),
                        memory,
                        "the profile; a quarter becomes shared buffers",
                    ),
                }),
                pointer: "/postgres/cloudnativePg",
            }
        }
        written::Postgres::Neon(it) => Postgres {
            max_connections: it.max_connections,
            cluster: None,
            pointer: "/postgres/neon",
        },
    }
}
