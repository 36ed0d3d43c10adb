//! What people write: `environments/<env>.yaml`, as it stands, without defaults.
//!
//! The JSON Schema derived from these types is the one description: editors read it, and
//! [`validate`](validate::validate) checks the written tree against it before it is decoded.

pub mod autoscaler;
pub mod codes;
pub mod dapr;
pub mod document;
pub mod kafka;
pub mod lock;
pub mod observability;
pub mod platform;
pub mod postgres;
pub mod schema;
mod secret_scan;
pub mod secrets;
pub mod services;
pub mod units;
pub mod validate;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use catalogue::Catalogue;
use document::Node;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use units::{Bytes, Date, DnsLabel, DnsName, HttpsUrl};

/// One environment of TaskFlow: what is wanted, in as few lines as its platform and profile allow.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The version of this format.
    pub api_version: ApiVersion,
    /// The environment's name: the file's name without `.yaml`, and the folder under `clusters/`.
    pub environment: DnsLabel,
    /// A named bundle of defaults; what it sets is printed in the environment's README.
    pub profile: Profile,
    /// The host name under which people reach TaskFlow.
    pub domain: DnsName,
    /// Whether `environments/<env>.lock.yaml` names images to run. While false, the services' releases are emitted suspended.
    #[serde(default)]
    pub released: bool,
    /// Where the cluster runs: exactly one platform with its own settings.
    pub platform: platform::Platform,
    /// The load that capacity checks and derived thresholds calculate with.
    pub load: Load,
    /// What deploys `clusters/<env>/`.
    pub gitops: Gitops,
    /// Who tells people apart.
    pub auth: Auth,
    /// How events reach the services: through Dapr sidecars (default), or directly from Kafka.
    pub bus: Option<Bus>,
    /// Where Kafka comes from.
    pub kafka: kafka::Kafka,
    /// Topics, where they differ from the catalogue's defaults.
    #[serde(default)]
    pub topics: BTreeMap<String, kafka::TopicSpec>,
    /// Where PostgreSQL comes from.
    pub postgres: postgres::Postgres,
    /// What brings secrets into the cluster. A spec names secrets, it never holds their values.
    pub secrets: secrets::Secrets,
    /// What scales the services that consume events. Exactly one of `keda` and `hpa`.
    pub autoscaler: autoscaler::Autoscaler,
    /// Distributed tracing: what is kept, and where.
    pub tracing: observability::Tracing,
    /// Prometheus and what stands beside it.
    pub metrics: observability::Metrics,
    /// Alerts beyond those that every environment has.
    #[serde(default)]
    pub alerts: observability::Alerts,
    /// Dapr, where it differs from the defaults.
    #[serde(default)]
    pub dapr: dapr::Dapr,
    /// Parts that are switched off in this environment, each visibly here.
    #[serde(default)]
    pub disable: Vec<Part>,
    /// Services, where they differ from the profile.
    #[serde(default)]
    pub services: BTreeMap<String, services::ServiceSpec>,
    /// Findings that are accepted here, each with its reason and a last day.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
}

/// The version of this format.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The only version so far.
    #[serde(rename = "taskflow.dev/v1")]
    V1,
}

/// A named bundle of visible defaults.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// One machine, nothing replicated, everything small.
    Laptop,
    /// A free cloud budget: as little as still shows everything.
    FreeTier,
    /// Replicated over zones; survives the loss of a node without losing an event.
    Production,
}

/// Who tells people apart: any OIDC provider.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Auth {
    /// The issuer of people's tokens, exactly as their claim `iss` has it. Its signing keys are found through
    /// `<issuer>/.well-known/openid-configuration`.
    pub issuer: HttpsUrl,
}

/// The load that capacity checks and derived thresholds calculate with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Load {
    /// Task events per second, sustained.
    #[schemars(range(min = 1, max = 100_000))]
    pub events_per_second: u32,
    /// Size of one event on the wire.
    pub event_size: Bytes,
}

/// What deploys `clusters/<env>/`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Gitops {
    /// Flux 2.9: one Kustomization per stage, one shared source.
    Flux(Flux),
}

/// Flux's source.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flux {
    /// The repository that Flux reads.
    pub repository: HttpsUrl,
    /// Its branch.
    #[schemars(length(min = 1, max = 200))]
    pub branch: String,
}

/// How events reach the services.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Bus {
    /// Dapr sidecars publish and deliver; websocket alone reads Kafka directly.
    Dapr,
    /// Every service talks to Kafka directly; no Dapr at all.
    Kafka,
}

/// A part that an environment may go without.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Grafana.
    Grafana,
    /// Alertmanager: alerts are evaluated and seen in Prometheus, nobody is called.
    Alertmanager,
    /// The node exporter.
    NodeExporter,
    /// The release of Strimzi: something else installs the operator and its CRDs.
    Strimzi,
    /// The release of Dapr: something else installs it.
    Dapr,
    /// The release of KEDA: something else installs it.
    Keda,
    /// The release of CloudNativePG: something else installs it.
    CloudnativePg,
    /// The release of External Secrets: something else installs it.
    ExternalSecrets,
    /// The release of kube-prometheus-stack: something else installs the operator.
    Prometheus,
}

/// A finding that is accepted, for a while.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Waiver {
    /// The diagnostic code, such as TF0310.
    #[schemars(length(min = 6, max = 6))]
    pub code: String,
    /// Why it is accepted.
    #[schemars(length(min = 10, max = 500))]
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
}

/// A spec together with the text it was read from.
#[derive(Clone, Debug)]
pub struct Written {
    /// The text.
    pub source: Source,
    /// Its tree, for places.
    pub tree: Node,
    /// What it says.
    pub spec: Spec,
}

impl Written {
    /// The place a JSON pointer such as `/kafka/strimzi/brokers` leads to, or the nearest parent that is written.
    pub fn span(&self, pointer: &str) -> Span {
        self.tree.nearest_span(pointer)
    }

    /// Whether the spec itself holds a value there.
    pub fn says(&self, pointer: &str) -> bool {
        self.tree.at(pointer).is_some()
    }
}

/// Reads a spec.
///
/// # Errors
/// Every problem that can be found without resolving it, in one go.
pub fn parse(source: Source, catalogue: &Catalogue) -> Result<Written, Vec<Diagnostic>> {
    let tree = document::read(&source)?;
    let schema = schema::environment(catalogue);
    let mut problems = validate::validate(&schema, &tree, &source.path);
    let secrets = secret_scan::scan(&tree, &source.path);
    // That a secret is also badly written helps nobody.
    problems.retain(|problem| secrets.iter().all(|secret| secret.span != problem.span));
    problems.extend(secrets);
    if !problems.is_empty() {
        return Err(problems);
    }
    match serde_json::from_value::<Spec>(tree.to_json()) {
        Ok(spec) => Ok(Written { source, tree, spec }),
        Err(error) => Err(vec![Diagnostic::error(
            codes::MALFORMED,
            &source.path,
            tree.span.clone(),
            format!("the spec cannot be read: {error}"),
        )]),
    }
}

impl std::fmt::Display for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Dapr => "dapr",
            Self::Kafka => "kafka",
        })
    }
}
