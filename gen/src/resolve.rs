//! A written spec → an [`Environment`]: every value is there, and each default that was taken is on record.
//!
//! Resolving cannot fail: what contradicts itself is found by the rules in [`crate::check`], which see the
//! whole environment.

mod dapr;
mod defaults;
mod kafka;
mod observability;
mod platform;
mod postgres;
mod scaling;
mod services;

pub use dapr::{Breaker, Dapr, PolicyUse, RetryKind, RetryPolicy};
pub use defaults::{DefaultTaken, Defaults};
pub use kafka::{Brokers, DeadLetterTwin, ExternalBrokers, Kafka, StrimziBrokers, Topic};
pub use observability::{Metrics, TraceStore, Tracing};
pub use platform::{Platform, PlatformKind};
pub use postgres::{Cluster, Postgres};
pub use scaling::{Autoscaler, ScalerKind};
pub use services::{Disruption, Service, Shutdown, Sidecar};

use crate::spec::lock::Lock;
use crate::spec::observability::CustomAlert;
use crate::spec::secrets::Secrets;
use crate::spec::{Bus, Part, Profile, Waiver, Written};
use catalogue::Catalogue;
use std::collections::BTreeSet;

/// The namespace of our services, Kafka and PostgreSQL. One, because a Secret does not cross namespaces.
pub const NAMESPACE: &str = "taskflow";
/// The namespace of Prometheus, the collectors and Zipkin.
pub const OBSERVABILITY: &str = "observability";
/// The Service of the collectors that take traces, in [`OBSERVABILITY`].
pub const COLLECTOR: &str = "otel-collector";
/// Their port for OTLP over gRPC.
pub const OTLP_PORT: u16 = 4317;

/// Where traces go: host and port, OTLP over gRPC, without TLS inside the cluster.
pub fn otlp_address() -> String {
    format!("{COLLECTOR}.{OBSERVABILITY}.svc:{OTLP_PORT}")
}

/// An environment with every value in place: what emitters read.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Its profile.
    pub profile: Profile,
    /// Host name for people.
    pub domain: String,
    /// The issuer of people's tokens.
    pub issuer: String,
    /// Whether the lock names images.
    pub released: bool,
    /// What is released.
    pub lock: Lock,
    /// Where it runs.
    pub platform: Platform,
    /// Task events per second.
    pub events_per_second: u32,
    /// Bytes of one event.
    pub event_size_bytes: u64,
    /// The repository that the GitOps controller reads.
    pub repository: String,
    /// Its branch.
    pub branch: String,
    /// How events travel where a service does not say.
    pub bus: Bus,
    /// Kafka.
    pub kafka: Kafka,
    /// The topics, origin before twin.
    pub topics: Vec<Topic>,
    /// PostgreSQL.
    pub postgres: Postgres,
    /// What brings secrets.
    pub secrets: Secrets,
    /// What scales.
    pub autoscaler: Autoscaler,
    /// Tracing.
    pub tracing: Tracing,
    /// Prometheus.
    pub metrics: Metrics,
    /// This environment's own alerts.
    pub custom_alerts: Vec<CustomAlert>,
    /// Dapr; `None` where no service uses it.
    pub dapr: Option<Dapr>,
    /// What is switched off.
    pub disabled: BTreeSet<Part>,
    /// The services, in the catalogue's order.
    pub services: Vec<Service>,
    /// Accepted findings.
    pub waivers: Vec<Waiver>,
    /// The defaults that were taken, in order of their places.
    pub defaults: Vec<DefaultTaken>,
}

impl Environment {
    /// Whether a part is installed here.
    pub fn has(&self, part: Part) -> bool {
        !self.disabled.contains(&part)
    }

    /// The topic with this name.
    pub fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    /// The service with this app id.
    pub fn service(&self, app_id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.app_id() == app_id)
    }

    /// Whether the environment is meant to survive the loss of a node.
    pub fn is_production(&self) -> bool {
        self.profile == Profile::Production
    }
}

/// Fills in what the spec leaves out.
pub fn resolve(written: &Written, lock: Lock, catalogue: &Catalogue) -> Environment {
    let spec = &written.spec;
    let mut defaults = Defaults::default();
    let platform = platform::resolve(&spec.platform);
    let bus = defaults.take(spec.bus, "/bus", Bus::Dapr, "the design's transport");
    let topics = kafka::topics(spec, catalogue, &mut defaults);
    let services = services::resolve(spec, catalogue, bus, &topics, &mut defaults);
    let uses_dapr = services.iter().any(Service::uses_dapr);
    let crate::spec::Gitops::Flux(flux) = &spec.gitops;
    Environment {
        name: spec.environment.0.clone(),
        profile: spec.profile,
        domain: spec.domain.0.clone(),
        issuer: spec.auth.issuer.0.clone(),
        released: spec.released,
        lock,
        kafka: kafka::resolve(spec, &mut defaults),
        postgres: postgres::resolve(spec, &mut defaults),
        autoscaler: scaling::resolve(&spec.autoscaler, &mut defaults),
        tracing: observability::tracing(spec, &mut defaults),
        metrics: observability::metrics(spec, &mut defaults),
        dapr: uses_dapr.then(|| dapr::resolve(spec, &mut defaults)),
        platform,
        events_per_second: spec.load.events_per_second,
        event_size_bytes: spec.load.event_size.0,
        repository: flux.repository.0.clone(),
        branch: flux.branch.clone(),
        bus,
        topics,
        secrets: spec.secrets.clone(),
        custom_alerts: spec.alerts.custom.clone(),
        disabled: spec.disable.iter().copied().collect(),
        services,
        waivers: spec.waivers.clone(),
        defaults: defaults.into_sorted(),
    }
}
