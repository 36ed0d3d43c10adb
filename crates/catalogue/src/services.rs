//! The services: what each one listens on, consumes, publishes, calls and owns.

mod audit;
mod chat_api;
mod dlq_monitor;
mod notification;
mod recurring_tasks;
mod web;
mod websocket;

use crate::{
    app_ids,
    consumer_groups::ConsumerGroup,
    ports::{HTTP, METRICS},
};

pub use audit::AUDIT;
pub use chat_api::{CHAT_API, CREATE_OCCURRENCE};
pub use dlq_monitor::DLQ_MONITOR;
pub use notification::NOTIFICATION;
pub use recurring_tasks::RECURRING_TASKS;
pub use web::WEB;
pub use websocket::WEBSOCKET;

/// A deployable of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Name everywhere: Dapr app id, workload, Kafka user, `service.name`.
    pub app_id: &'static str,
    /// What it is for, in one sentence.
    pub summary: &'static str,
    /// What it is built from.
    pub kind: ServiceKind,
    /// True while nothing in this repository implements it: alerts on it carry a warning.
    pub planned: bool,
    /// Port of the routes that people and kubelet reach.
    pub http_port: u16,
    /// Port of `/metrics`, apart from all others; `None` when it exports none.
    pub metrics_port: Option<u16>,
    /// Port that only the own sidecar and other services reach, never the gateway; `None` when nobody calls in. It is
    /// Dapr's app port, so that service invocation cannot reach a public route.
    pub internal_port: Option<u16>,
    /// Health routes.
    pub probes: Probes,
    /// Main routes besides probes, metrics, deliveries and job callbacks, which are derived.
    pub routes: &'static [Route],
    /// Consumer group; present exactly when `consumes` is not empty.
    pub consumer_group: Option<ConsumerGroup>,
    /// What it consumes, all in the one group.
    pub consumes: &'static [Subscription],
    /// Names of the topics that it publishes to through its outbox. Dead letters are apart: [`Service::writes_topics`].
    pub publishes: &'static [&'static str],
    /// Routes of other services that it calls.
    pub invokes: &'static [Invocation],
    /// Name of the database schema that it owns.
    pub schema: Option<&'static str>,
    /// Prefixes of the jobs that it schedules.
    pub job_prefixes: &'static [&'static str],
    /// Ways to the broker that it may be deployed with, the preferred one first; empty when it uses no broker. An
    /// environment picks one for all its edges.
    pub transports: &'static [Transport],
    /// What its number of replicas follows.
    pub scaling: Scaling,
    /// Seconds from SIGTERM in which it finishes what it has begun (1 to 60). The preStop wait comes before and is not
    /// part of it.
    pub drain_seconds: u32,
}

/// What a service is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// A Rust binary with the subcommands `serve`, `migrate` and `check-config`.
    Rust,
    /// Static files behind a file server.
    StaticWeb,
}

/// The health routes of a service; no two are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probes {
    /// The process lives; touches no dependency. Liveness and startup probes, on the HTTP port.
    pub liveness: &'static str,
    /// It takes traffic: database reachable, migrations applied, not draining. Readiness probe, on the HTTP port.
    pub readiness: &'static str,
    /// It may consume: own database reachable, still 200 while draining. Dapr's app health check, on the internal
    /// port; `None` when Dapr never delivers to it.
    pub events: Option<&'static str>,
}

/// A route that a service answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path template in axum's form, such as `/tasks/{id}`; the value of the label `route`.
    pub path: &'static str,
    /// Listener that answers it.
    pub port: RoutePort,
    /// Who may call it.
    pub access: Access,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method as it stands in a request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A listener of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoutePort {
    /// [`Service::http_port`]
    Http,
    /// [`Service::internal_port`]
    Internal,
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Anyone,
    /// A person, with a token of the configured issuer.
    User,
    /// A person whose token carries the scope.
    Operator(&'static str),
    /// Another service, with a service token for the audience that carries the scope.
    Service {
        /// `aud` of the token.
        audience: &'static str,
        /// Scope in the token.
        scope: &'static str,
    },
    /// The own Dapr sidecar, with the app token.
    Sidecar,
}

/// A topic that a service consumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Name of the topic.
    pub topic: &'static str,
    /// Path on the internal port that Dapr posts deliveries to; a name of metrics and logs for the direct transport.
    pub route: &'static str,
    /// Where a group without a committed offset begins.
    pub start: StartFrom,
    /// Topic that takes what cannot be handled, the twin of `topic`. `None`: never given up, held until it succeeds
    /// (dlq-monitor), or dropped because clients resume (websocket).
    pub dead_letter: Option<&'static str>,
}

/// Where a group without a committed offset begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartFrom {
    /// At the oldest record that the broker still has.
    Oldest,
    /// At the newest: only what comes from now on.
    Newest,
}

/// A route of another service that a service calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// App id of the service that is called.
    pub service: &'static str,
    /// Route that is called; one of that service's [`Service::routes`].
    pub route: Route,
}

/// A way to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Through the Dapr sidecar.
    Dapr,
    /// A Kafka client in the service itself.
    Kafka,
}

/// What a service's number of replicas follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// It answers requests: CPU.
    Requests,
    /// It consumes: lag of its group, and CPU.
    ConsumerLag,
    /// It stays as the environment says.
    Fixed,
}

impl Service {
    /// Whether the service has a `migrate` step: exactly when it owns a schema.
    pub const fn has_migrations(&self) -> bool {
        self.schema.is_some()
    }

    /// Whether Dapr may carry its events.
    pub fn may_use_dapr(&self) -> bool {
        self.transports.contains(&Transport::Dapr)
    }

    /// Port that Dapr delivers events, job callbacks and invocations to.
    pub fn dapr_app_port(&self) -> Option<u16> {
        if self.may_use_dapr() { self.internal_port } else { None }
    }

    /// Names of the topics that it reads, in the order of `consumes`.
    pub fn reads_topics(&self) -> impl Iterator<Item = &'static str> {
        self.consumes.iter().map(|subscription| subscription.topic)
    }

    /// Names of the topics that it needs write access to: what it publishes, then the dead-letter topics that it or
    /// its sidecar writes to.
    pub fn writes_topics(&self) -> impl Iterator<Item = &'static str> {
        let dead_letters = self.consumes.iter().filter_map(|it| it.dead_letter);
        self.publishes.iter().copied().chain(dead_letters)
    }

    /// Every port, with a name that is valid for a Kubernetes port.
    pub fn ports(&self) -> impl Iterator<Item = (&'static str, u16)> {
        let optional = [("internal", self.internal_port), ("metrics", self.metrics_port)];
        std::iter::once(("http", self.http_port))
            .chain(optional.into_iter().filter_map(|(name, port)| Some((name, port?))))
    }
}

/// Health routes of a service that Dapr delivers to.
const CONSUMER_PROBES: Probes = Probes {
    events: Some(crate::paths::READY_EVENTS),
    ..PROBES
};
/// Health routes of a service that Dapr never delivers to.
const PROBES: Probes = Probes {
    liveness: crate::paths::HEALTH,
    readiness: crate::paths::READY,
    events: None,
};

/// What most Rust services share; each entry names the rest.
const RUST: Service = Service {
    app_id: "",
    summary: "",
    kind: ServiceKind::Rust,
    planned: true,
    http_port: HTTP,
    metrics_port: Some(METRICS),
    internal_port: None,
    probes: PROBES,
    routes: &[],
    consumer_group: None,
    consumes: &[],
    publishes: &[],
    invokes: &[],
    schema: None,
    job_prefixes: &[],
    transports: &[Transport::Dapr, Transport::Kafka],
    scaling: Scaling::Requests,
    drain_seconds: 10,
};

const fn route(method: Method, path: &'static str, access: Access) -> Route {
    Route {
        method,
        path,
        port: RoutePort::Http,
        access,
    }
}

/// Every service, writers before readers, the front end last.
pub const ALL: &[Service] = &[
    CHAT_API,
    RECURRING_TASKS,
    NOTIFICATION,
    AUDIT,
    WEBSOCKET,
    DLQ_MONITOR,
    WEB,
];

/// Name of the Dapr pub/sub Component of a service; each service has its own, scoped to it.
pub fn pubsub_component(app_id: &str) -> String {
    format!("{PUBSUB_COMPONENT_PREFIX}{app_id}")
}

/// What the name of every Dapr pub/sub Component begins with; the app id follows.
pub const PUBSUB_COMPONENT_PREFIX: &str = "kafka-pubsub-";

/// Audience of the tokens that services show each other at chat-api.
pub const INTERNAL_AUDIENCE: &str = "chat-api-internal";
/// Scope that allows a service to create the next instance of a recurring task.
pub const CREATE_OCCURRENCES_SCOPE: &str = "occurrences:create";
/// Scope that lets a person read dead letters.
pub const READ_DEAD_LETTERS_SCOPE: &str = "dead-letters:read";
/// Scope that lets a person replay and discard dead letters.
pub const RESOLVE_DEAD_LETTERS_SCOPE: &str = "dead-letters:resolve";

const _: () = assert!(ALL.len() == app_ids::RUST_SERVICES.len() + 1);
