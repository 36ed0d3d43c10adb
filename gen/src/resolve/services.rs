//! The services with their numbers.

use super::{Defaults, Topic};
use crate::spec::services as written;
use crate::spec::units::{Bytes, Cpu, Duration};
use crate::spec::{Bus, Profile, Spec};
use catalogue::{Catalogue, Scaling};

/// A service in one environment.
#[derive(Clone, Debug)]
pub struct Service {
    /// What it is, everywhere.
    pub entry: catalogue::Service,
    /// Least pods.
    pub min_replicas: u32,
    /// Most pods.
    pub max_replicas: u32,
    /// Processor request of one pod's own container.
    pub cpu: Cpu,
    /// Memory request and limit of one pod's own container.
    pub memory: Bytes,
    /// The Dapr sidecar's requests.
    pub sidecar: Sidecar,
    /// Database connections of one pod's pool; 0 where it has no database.
    pub pool: u32,
    /// Connections of one pod beside the pool.
    pub direct_connections: u32,
    /// Its disruption budget.
    pub disruption: Disruption,
    /// How a pod ends.
    pub shutdown: Shutdown,
    /// The ways that events take to it, as written; exactly one unless a rule objects. Empty for a service without broker.
    pub transports: Vec<Bus>,
}

/// Requests of a Dapr sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sidecar {
    /// Processor request.
    pub cpu: Cpu,
    /// Memory request; the limit is twice as much.
    pub memory: Bytes,
}

/// A disruption budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disruption {
    /// None: a single pod may always be moved.
    None,
    /// So many stay.
    MinAvailable(u32),
    /// So many may go at once.
    MaxUnavailable(u32),
}

/// How a pod ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// Wait before SIGTERM.
    pub pre_stop: Duration,
    /// Time for the service after SIGTERM.
    pub drain: Duration,
    /// Time the sidecar keeps serving after SIGTERM, which reaches it at once.
    pub sidecar_block: Duration,
    /// Time the sidecar then has.
    pub sidecar_graceful: Duration,
    /// When all is killed.
    pub grace: Duration,
}

/// Spare time between the last orderly end and the kill.
pub(crate) const SHUTDOWN_MARGIN: Duration = Duration::seconds(10);

impl Shutdown {
    /// What the grace period must at least be.
    pub fn needed(&self, with_sidecar: bool) -> Duration {
        let own = self.pre_stop.0 + self.drain.0;
        let sidecar = if with_sidecar {
            self.sidecar_block.0 + self.sidecar_graceful.0
        } else {
            0
        };
        Duration(own.max(sidecar) + SHUTDOWN_MARGIN.0)
    }
}

impl Service {
    /// Its name everywhere.
    pub fn app_id(&self) -> &'static str {
        self.entry.app_id
    }

    /// Whether its pods carry a Dapr sidecar.
    pub fn uses_dapr(&self) -> bool {
        self.transports.contains(&Bus::Dapr)
    }

    /// Whether it talks to Kafka itself.
    pub fn uses_kafka_directly(&self) -> bool {
        self.transports.contains(&Bus::Kafka)
    }

    /// Whether it follows the lag of its group.
    pub fn scales_on_lag(&self) -> bool {
        self.entry.scaling == Scaling::ConsumerLag && self.is_scaled()
    }

    /// Whether anything changes its number of pods.
    pub fn is_scaled(&self) -> bool {
        self.entry.scaling != Scaling::Fixed && self.max_replicas > self.min_replicas
    }

    /// Where the spec speaks of it.
    pub fn pointer(&self) -> String {
        format!("/services/{}", self.app_id())
    }

    /// Connections that all its pods may hold at once: one more pod than the most while a release rolls, and the
    /// migration before it.
    pub fn connections_at_most(&self) -> u32 {
        match self.pool + self.direct_connections {
            0 => 0,
            of_a_pod => (self.max_replicas + 1) * of_a_pod + catalogue::database::MIGRATION_CONNECTIONS,
        }
    }
}

pub(super) fn resolve(
    spec: &Spec,
    catalogue: &Catalogue,
    bus: Bus,
    topics: &[Topic],
    defaults: &mut Defaults,
) -> Vec<Service> {
    let nothing = written::ServiceSpec::default();
    catalogue
        .services
        .iter()
        .map(|entry| {
            let said = spec.services.get(entry.app_id).unwrap_or(&nothing);
            service(
                entry,
                said,
                &Context {
                    spec,
                    catalogue,
                    bus,
                    topics,
                },
                defaults,
            )
        })
        .collect()
}

struct Context<'a> {
    spec: &'a Spec,
    catalogue: &'a Catalogue,
    bus: Bus,
    topics: &'a [Topic],
}

fn service(
    entry: &catalogue::Service,
    said: &written::ServiceSpec,
    context: &Context<'_>,
    defaults: &mut Defaults,
) -> Service {
    let at = |key: &str| format!("/services/{}/{key}", entry.app_id);
    let profile = context.spec.profile;
    let replicas = said.replicas.clone().unwrap_or_default();
    let min_replicas = defaults.take(
        replicas.min,
        at("replicas/min"),
        default_min(entry, profile),
        "the profile",
    );
    let max_default = default_max(entry, profile, context.topics).max(min_replicas);
    let max_replicas = defaults.take(
        replicas.max,
        at("replicas/max"),
        max_default,
        "the design's 10, capped by the partitions and the profile",
    );
    let (cpu, memory) = default_requests(entry, profile);
    let schema = context.catalogue.schema_of(entry);
    let transports = transports(entry, said, context.bus);
    let sidecar = said.sidecar.clone().unwrap_or_default();
    let (sidecar_cpu, sidecar_memory) = match profile {
        Profile::Production => (Cpu(100), Bytes::mi(128)),
        // daprd 1.18 idles at 92 MiB resident (measured).
        Profile::Laptop | Profile::FreeTier => (Cpu(10), Bytes::mi(96)),
    };
    Service {
        entry: *entry,
        min_replicas,
        max_replicas,
        cpu: defaults.take(said.cpu, at("cpu"), cpu, "the profile"),
        memory: defaults.take(said.memory, at("memory"), memory, "the profile"),
        sidecar: if transports.contains(&Bus::Dapr) {
            Sidecar {
                cpu: defaults.take(sidecar.cpu, at("sidecar/cpu"), sidecar_cpu, "the profile"),
                memory: defaults.take(sidecar.memory, at("sidecar/memory"), sidecar_memory, "measured"),
            }
        } else {
            Sidecar {
                cpu: Cpu(0),
                memory: Bytes(0),
            }
        },
        pool: match schema {
            Some(schema) => {
                let (pool, reason) = default_pool(schema, profile);
                defaults.take(said.pool, at("pool"), pool, reason)
            }
            None => 0,
        },
        direct_connections: schema.map_or(0, |schema| schema.direct_connections),
        disruption: disruption(entry, said, min_replicas, defaults),
        shutdown: shutdown(entry, said, transports.contains(&Bus::Dapr), defaults),
        transports,
    }
}

fn transports(entry: &catalogue::Service, said: &written::ServiceSpec, bus: Bus) -> Vec<Bus> {
    if entry.transports.is_empty() {
        return Vec::new();
    }
    match &said.transports {
        Some(transports) => transports.clone(),
        None if bus == Bus::Dapr && entry.may_use_dapr() => vec![Bus::Dapr],
        None => vec![Bus::Kafka],
    }
}

fn default_min(entry: &catalogue::Service, profile: Profile) -> u32 {
    match (profile, entry.app_id) {
        (Profile::Production, catalogue::app_ids::CHAT_API) => 3,
        (Profile::Production, _) | (Profile::FreeTier, catalogue::app_ids::CHAT_API) => 2,
        _ => 1,
    }
}

/// The design's maximum is 10; a consumer never gets more pods than its topics have partitions.
fn default_max(entry: &catalogue::Service, profile: Profile, topics: &[Topic]) -> u32 {
    let most = match (profile, entry.scaling) {
        (_, Scaling::Fixed) => return default_min(entry, profile),
        (Profile::Production, _) => 10,
        // What the nodes of these profiles hold with everything else that runs on them; two still show scaling.
        (Profile::FreeTier | Profile::Laptop, _) => 2,
    };
    partitions_bound(entry, topics).map_or(most, |bound| most.min(bound))
}

/// Pods of a shared group that can have work: as many as its widest topic has partitions.
pub(crate) fn partitions_bound(entry: &catalogue::Service, topics: &[Topic]) -> Option<u32> {
    entry.consumer_group.and_then(|group| group.shared_name())?;
    entry
        .reads_topics()
        .filter_map(|name| topics.iter().find(|topic| topic.name == name))
        .map(|topic| topic.partitions)
        .max()
}

/// A small PostgreSQL serves few at once: more connections would only wait inside it, each with its own memory.
fn default_pool(schema: &catalogue::Schema, profile: Profile) -> (u32, &'static str) {
    match profile {
        Profile::Production => (schema.default_pool_connections, "the catalogue"),
        Profile::Laptop | Profile::FreeTier => {
            let half = schema.default_pool_connections.div_ceil(2);
            (half, "half of the catalogue's, for a small PostgreSQL")
        }
    }
}

fn default_requests(entry: &catalogue::Service, profile: Profile) -> (Cpu, Bytes) {
    match (profile, entry.kind) {
        (Profile::Production, catalogue::ServiceKind::Rust) => (Cpu(250), Bytes::mi(256)),
        (Profile::Production, catalogue::ServiceKind::StaticWeb) => (Cpu(50), Bytes::mi(64)),
        (_, catalogue::ServiceKind::Rust) => (Cpu(20), Bytes::mi(96)),
        (_, catalogue::ServiceKind::StaticWeb) => (Cpu(10), Bytes::mi(32)),
    }
}

fn disruption(
    entry: &catalogue::Service,
    said: &written::ServiceSpec,
    min_replicas: u32,
    defaults: &mut Defaults,
) -> Disruption {
    match said.disruption {
        Some(written::Disruption::None) => Disruption::None,
        Some(written::Disruption::MinAvailable(count)) => Disruption::MinAvailable(count),
        Some(written::Disruption::MaxUnavailable(count)) => Disruption::MaxUnavailable(count),
        None => {
            let (budget, shown) = match (min_replicas, entry.scaling) {
                (1, _) => (Disruption::None, "none".to_owned()),
                // The design's own numbers for chat-api: 3 pods, 2 stay.
                (3.., Scaling::Requests) => (
                    Disruption::MinAvailable(min_replicas - 1),
                    format!("minAvailable {}", min_replicas - 1),
                ),
                _ => (Disruption::MaxUnavailable(1), "maxUnavailable 1".to_owned()),
            };
            let pointer = format!("/services/{}/disruption", entry.app_id);
            defaults.take(
                None,
                pointer,
                shown,
                "one pod may go at a time; a single pod may always be moved",
            );
            budget
        }
    }
}

fn shutdown(
    entry: &catalogue::Service,
    said: &written::ServiceSpec,
    with_sidecar: bool,
    defaults: &mut Defaults,
) -> Shutdown {
    let at = |key: &str| format!("/services/{}/shutdown/{key}", entry.app_id);
    let said = said.shutdown.clone().unwrap_or_default();
    let pre_stop = defaults.take(said.pre_stop, at("preStop"), Duration::seconds(15), "the design");
    let drain = defaults.take(
        said.drain,
        at("drain"),
        Duration::seconds(u64::from(entry.drain_seconds)),
        "the catalogue",
    );
    let mut shutdown = Shutdown {
        pre_stop,
        drain,
        sidecar_block: Duration(pre_stop.0 + drain.0),
        sidecar_graceful: Duration::seconds(5),
        grace: Duration(0),
    };
    if with_sidecar {
        shutdown.sidecar_block = defaults.take(
            said.sidecar_block,
            at("sidecarBlock"),
            shutdown.sidecar_block,
            "SIGTERM reaches the sidecar at once: preStop + drain",
        );
        shutdown.sidecar_graceful = defaults.take(
            said.sidecar_graceful,
            at("sidecarGraceful"),
            shutdown.sidecar_graceful,
            "Dapr's own",
        );
    }
    shutdown.grace = defaults.take(
        said.grace,
        at("grace"),
        shutdown.needed(with_sidecar),
        "what the others need, and 10 s",
    );
    shutdown
}
