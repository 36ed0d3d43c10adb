//! Tracing and metrics.

use super::Defaults;
use crate::spec::observability as written;
use crate::spec::units::{Bytes, Duration, Percent};
use crate::spec::{Profile, Spec};

/// Tracing with its numbers.
#[derive(Clone, Debug)]
pub struct Tracing {
    /// Share of ordinary traces kept.
    pub keep: Percent,
    /// Slower traces are kept.
    pub slower_than: Duration,
    /// Wait before the decision.
    pub decision_wait: Duration,
    /// What Dapr passes on.
    pub dapr_sampling: Percent,
    /// Collectors that decide.
    pub samplers: u32,
    /// Collectors that balance by trace; 0 for none.
    pub balancers: u32,
    /// Where traces are kept.
    pub store: TraceStore,
}

/// Where Zipkin keeps traces.
#[derive(Clone, Debug)]
pub enum TraceStore {
    /// In its memory.
    Memory {
        /// Spans kept.
        max_spans: u32,
    },
    /// In somebody else's Elasticsearch.
    External {
        /// Its address.
        url: String,
        /// How long days are kept.
        retention: Duration,
    },
    /// In one node of our own.
    Node {
        /// Its volume.
        volume: Bytes,
        /// Its memory.
        memory: Bytes,
        /// How long days are kept.
        retention: Duration,
    },
}

/// Prometheus with its numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// How long samples are kept.
    pub retention: Duration,
    /// Its volume; `None` for none.
    pub volume: Option<Bytes>,
    /// Its memory.
    pub memory: Bytes,
}

pub(super) fn tracing(spec: &Spec, defaults: &mut Defaults) -> Tracing {
    let it = &spec.tracing;
    let thirty_days = Duration::days(30);
    let (one, several) = match spec.profile {
        Profile::Production => (2, 2),
        Profile::Laptop | Profile::FreeTier => (1, 0),
    };
    let samplers = defaults.take(it.samplers, "/tracing/samplers", one, "the profile");
    let balancers = if samplers > 1 { several.max(2) } else { 0 };
    Tracing {
        keep: it.keep,
        slower_than: defaults.take(
            it.slower_than,
            "/tracing/slowerThan",
            Duration::seconds(1),
            "the design",
        ),
        decision_wait: defaults.take(
            it.decision_wait,
            "/tracing/decisionWait",
            Duration::seconds(30),
            "the collector's own",
        ),
        dapr_sampling: defaults.take(
            it.dapr_sampling,
            "/tracing/daprSampling",
            Percent::whole(100),
            "the collector decides, at the tail",
        ),
        samplers,
        balancers: defaults.take(
            it.balancers,
            "/tracing/balancers",
            balancers,
            "needed as soon as several samplers must each see whole traces",
        ),
        store: match &it.zipkin {
            written::Zipkin::Memory(memory) => TraceStore::Memory {
                max_spans: memory.max_spans,
            },
            written::Zipkin::Elasticsearch(external) => TraceStore::External {
                url: external.url.0.clone(),
                retention: defaults.take(
                    external.retention,
                    "/tracing/zipkin/elasticsearch/retention",
                    thirty_days,
                    "the design",
                ),
            },
            written::Zipkin::ElasticsearchNode(node) => TraceStore::Node {
                volume: node.volume,
                memory: defaults.take(
                    node.memory,
                    "/tracing/zipkin/elasticsearchNode/memory",
                    Bytes::gi(2),
                    "the least that is useful",
                ),
                retention: defaults.take(
                    node.retention,
                    "/tracing/zipkin/elasticsearchNode/retention",
                    thirty_days,
                    "the design",
                ),
            },
        },
    }
}

pub(super) fn metrics(spec: &Spec, defaults: &mut Defaults) -> Metrics {
    let memory = match spec.profile {
        Profile::Laptop => Bytes::mi(768),
        Profile::FreeTier => Bytes::mi(640),
        Profile::Production => Bytes::gi(4),
    };
    Metrics {
        retention: spec.metrics.retention,
        volume: spec.metrics.volume,
        memory: defaults.take(spec.metrics.memory, "/metrics/memory", memory, "the profile"),
    }
}
