//! Tracing, metrics, alerts.

use super::units::{Bytes, Duration, HttpsUrl, Percent};
use schemars::JsonSchema;
use serde::Deserialize;

/// Distributed tracing: what is kept, and where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tracing {
    /// Share of ordinary traces that are kept; errors and slow ones always are.
    pub keep: Percent,
    /// A trace that takes longer is always kept. Default: 1 s.
    pub slower_than: Option<Duration>,
    /// How long the collector waits for a trace's spans before it decides. Default: 30 s.
    pub decision_wait: Option<Duration>,
    /// Share of traces that Dapr passes on. Anything below 100 % loses errors before they are seen. Default: 100 %.
    pub dapr_sampling: Option<Percent>,
    /// Collectors that decide; each trace must reach one of them whole. Default: 1, in production 2.
    #[schemars(range(min = 1, max = 20))]
    pub samplers: Option<u32>,
    /// Collectors in front that bring all spans of a trace to one sampler; 0 for none. Default: as needed.
    #[schemars(range(min = 0, max = 20))]
    pub balancers: Option<u32>,
    /// Where traces are kept and looked at.
    pub zipkin: Zipkin,
}

/// Where Zipkin keeps traces: exactly one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Zipkin {
    /// In memory: the newest spans, gone with the pod.
    Memory(ZipkinMemory),
    /// In an Elasticsearch that somebody else runs.
    Elasticsearch(ExternalElasticsearch),
    /// In one Elasticsearch node run here.
    ElasticsearchNode(ElasticsearchNode),
}

/// Zipkin's memory store.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZipkinMemory {
    /// Spans kept (`MEM_MAX_SPANS`), about 1 KiB of heap each; the oldest go first.
    #[schemars(range(min = 1000, max = 5_000_000))]
    pub max_spans: u32,
}

/// An Elasticsearch that somebody else runs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalElasticsearch {
    /// Its address.
    pub url: HttpsUrl,
    /// Days are kept for so long, then deleted. Default: 30 d.
    pub retention: Option<Duration>,
}

/// One Elasticsearch node run here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ElasticsearchNode {
    /// Its volume.
    pub volume: Bytes,
    /// Its memory; half of it becomes heap. Default: 2Gi.
    pub memory: Option<Bytes>,
    /// Days are kept for so long, then deleted. Default: 30 d.
    pub retention: Option<Duration>,
}

/// Prometheus and what stands beside it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metrics {
    /// How long Prometheus keeps samples.
    pub retention: Duration,
    /// Prometheus's volume; left out, samples live in the pod and go with it.
    pub volume: Option<Bytes>,
    /// Memory of Prometheus. Default: by profile.
    pub memory: Option<Bytes>,
}

/// Alerts beyond those that every environment has.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Alerts {
    /// This environment's own alerts.
    #[serde(default)]
    pub custom: Vec<CustomAlert>,
}

/// An alert of one environment. Its expression is parsed, and every metric in it must be one that something here exports.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomAlert {
    /// Its name in CamelCase, at most 40 characters.
    #[schemars(length(min = 3, max = 40))]
    pub name: String,
    /// The PromQL expression; it compares something.
    #[schemars(length(min = 1, max = 4000))]
    pub expr: String,
    /// How long the expression must hold.
    #[serde(rename = "for")]
    pub hold: Duration,
    /// How urgent it is.
    pub severity: AlertSeverity,
    /// One sentence without a template: starts with a capital, ends with a full stop.
    #[schemars(length(min = 5, max = 200))]
    pub summary: String,
    /// What is known and what to look at; may use {{ $labels }} and {{ $value }}.
    #[schemars(length(min = 5, max = 1000))]
    pub description: String,
}

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum AlertSeverity {
    /// Somebody must act now.
    Critical,
    /// Somebody must act today.
    Warning,
    /// Nobody must act.
    Info,
}
