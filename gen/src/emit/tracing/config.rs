//! The collector's configuration, as far as it is used here.
//!
//! Field names were read in open-telemetry/opentelemetry-collector and opentelemetry-collector-contrib @v0.159.0: the
//! `Config` structs of the tail sampler, the load-balancing and the Zipkin exporter, and of the service's telemetry.

use super::super::Inputs;
use super::{OTLP_GRPC, OTLP_HTTP, SAMPLER, ZIPKIN, ZIPKIN_PORT, address, sizing};
use crate::spec::units::{Bytes, Percent};
use serde::Serialize;
use std::collections::BTreeMap;

/// The collector's own metrics.
pub(super) const METRICS_PORT: u16 = 8888;
/// The collector's health.
pub(super) const HEALTH_PORT: u16 = 13133;

/// A whole configuration.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Config {
    extensions: Extensions,
    receivers: Receivers,
    processors: Processors,
    exporters: Exporters,
    service: Service,
}

#[derive(Clone, Debug, Serialize)]
struct Extensions {
    health_check: Listen,
}

#[derive(Clone, Debug, Serialize)]
struct Listen {
    endpoint: String,
}

#[derive(Clone, Debug, Serialize)]
struct Receivers {
    otlp: OtlpReceiver,
}

#[derive(Clone, Debug, Serialize)]
struct OtlpReceiver {
    protocols: OtlpProtocols,
}

#[derive(Clone, Debug, Serialize)]
struct OtlpProtocols {
    grpc: Listen,
    http: Listen,
}

#[derive(Clone, Debug, Serialize)]
struct Processors {
    memory_limiter: MemoryLimiter,
    #[serde(skip_serializing_if = "Option::is_none")]
    tail_sampling: Option<TailSampling>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<Batch>,
}

#[derive(Clone, Debug, Serialize)]
struct MemoryLimiter {
    check_interval: &'static str,
    limit_mib: u64,
    spike_limit_mib: u64,
}

#[derive(Clone, Debug, Serialize)]
struct TailSampling {
    decision_wait: String,
    num_traces: u64,
    expected_new_traces_per_sec: u64,
    decision_cache: DecisionCache,
    policies: Vec<Policy>,
}

/// Spans that come after the decision follow it.
#[derive(Clone, Copy, Debug, Serialize)]
struct DecisionCache {
    sampled_cache_size: u64,
    non_sampled_cache_size: u64,
}

/// A trace is kept if any policy keeps it.
#[derive(Clone, Debug, Serialize)]
struct Policy {
    name: &'static str,
    #[serde(flatten)]
    rule: PolicyRule,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum PolicyRule {
    AlwaysSample,
    StatusCode { status_code: StatusCode },
    Latency { latency: Latency },
    Probabilistic { probabilistic: Probabilistic },
}

#[derive(Clone, Debug, Serialize)]
struct StatusCode {
    status_codes: Vec<&'static str>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Latency {
    threshold_ms: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Probabilistic {
    sampling_percentage: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Batch {
    send_batch_size: u32,
    timeout: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Exporters {
    #[serde(skip_serializing_if = "Option::is_none")]
    loadbalancing: Option<LoadBalancing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zipkin: Option<Listen>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
struct LoadBalancing {
    #[serde(rename = "routing_key")]
    key: &'static str,
    retry_on_failure: Switch,
    sending_queue: Switch,
    protocol: BalancedProtocol,
    resolver: Resolver,
}

/// Off where nothing is written: on, what a sampler that just went away did not take goes to another.
#[derive(Clone, Copy, Debug, Serialize)]
struct Switch {
    enabled: bool,
}

#[derive(Clone, Debug, Serialize)]
struct BalancedProtocol {
    otlp: BalancedOtlp,
}

#[derive(Clone, Debug, Serialize)]
struct BalancedOtlp {
    timeout: &'static str,
    tls: Tls,
}

/// Within the namespace, in the clear.
#[derive(Clone, Copy, Debug, Serialize)]
struct Tls {
    insecure: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Resolver {
    dns: Dns,
}

/// Asks the headless Service for the ready pods: no rights at the API server are needed.
#[derive(Clone, Debug, Serialize)]
struct Dns {
    hostname: String,
    port: String,
    interval: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Service {
    extensions: Vec<&'static str>,
    pipelines: Pipelines,
    telemetry: Telemetry,
}

#[derive(Clone, Debug, Serialize)]
struct Pipelines {
    traces: Pipeline,
}

#[derive(Clone, Debug, Serialize)]
struct Pipeline {
    receivers: Vec<&'static str>,
    processors: Vec<&'static str>,
    exporters: Vec<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
struct Telemetry {
    logs: BTreeMap<&'static str, &'static str>,
    metrics: TelemetryMetrics,
}

#[derive(Clone, Debug, Serialize)]
struct TelemetryMetrics {
    level: &'static str,
    readers: Vec<Reader>,
}

#[derive(Clone, Debug, Serialize)]
struct Reader {
    pull: Pull,
}

#[derive(Clone, Debug, Serialize)]
struct Pull {
    exporter: PullExporter,
}

#[derive(Clone, Debug, Serialize)]
struct PullExporter {
    prometheus: PrometheusReader,
}

/// With all three switches metrics keep the names of the documentation; without them counters gain `_total` and
/// histograms their unit, and no alert finds them.
#[derive(Clone, Debug, Serialize)]
struct PrometheusReader {
    host: &'static str,
    port: u16,
    without_scope_info: bool,
    without_type_suffix: bool,
    without_units: bool,
}

/// A collector that decides, and sends what is kept to Zipkin.
pub(super) fn sampler(inputs: Inputs<'_>, memory: Bytes) -> Config {
    let processors = Processors {
        memory_limiter: memory_limiter(memory),
        tail_sampling: Some(tail_sampling(inputs)),
        // After the sampler, which takes traces apart and puts them together itself.
        batch: Some(Batch {
            send_batch_size: 512,
            timeout: "2s",
        }),
    };
    let exporters = Exporters {
        loadbalancing: None,
        zipkin: Some(Listen {
            endpoint: format!("http://{}:{ZIPKIN_PORT}/api/v2/spans", address(ZIPKIN)),
        }),
    };
    config(
        processors,
        exporters,
        vec!["memory_limiter", "tail_sampling", "batch"],
        "zipkin",
    )
}

/// A collector that brings all spans of a trace to one sampler.
pub(super) fn balancer(memory: Bytes) -> Config {
    let processors = Processors {
        memory_limiter: memory_limiter(memory),
        tail_sampling: None,
        batch: None,
    };
    let on = Switch { enabled: true };
    let exporters = Exporters {
        loadbalancing: Some(LoadBalancing {
            key: "traceID",
            retry_on_failure: on,
            sending_queue: on,
            protocol: BalancedProtocol {
                otlp: BalancedOtlp {
                    timeout: "2s",
                    tls: Tls { insecure: true },
                },
            },
            resolver: Resolver {
                dns: Dns {
                    hostname: address(SAMPLER),
                    port: OTLP_GRPC.to_string(),
                    interval: "5s",
                },
            },
        }),
        zipkin: None,
    };
    config(processors, exporters, vec!["memory_limiter"], "loadbalancing")
}

fn config(processors: Processors, exporters: Exporters, order: Vec<&'static str>, exporter: &'static str) -> Config {
    let listen = |port: u16| Listen {
        endpoint: format!("0.0.0.0:{port}"),
    };
    Config {
        extensions: Extensions {
            health_check: listen(HEALTH_PORT),
        },
        receivers: Receivers {
            otlp: OtlpReceiver {
                protocols: OtlpProtocols {
                    grpc: listen(OTLP_GRPC),
                    http: listen(OTLP_HTTP),
                },
            },
        },
        processors,
        exporters,
        service: Service {
            extensions: vec!["health_check"],
            pipelines: Pipelines {
                traces: Pipeline {
                    receivers: vec!["otlp"],
                    processors: order,
                    exporters: vec![exporter],
                },
            },
            telemetry: telemetry(),
        },
    }
}

fn telemetry() -> Telemetry {
    Telemetry {
        logs: BTreeMap::from([("encoding", "json"), ("level", "info")]),
        metrics: TelemetryMetrics {
            level: "normal",
            readers: vec![Reader {
                pull: Pull {
                    exporter: PullExporter {
                        prometheus: PrometheusReader {
                            host: "0.0.0.0",
                            port: METRICS_PORT,
                            without_scope_info: true,
                            without_type_suffix: true,
                            without_units: true,
                        },
                    },
                },
            }],
        },
    }
}

fn memory_limiter(memory: Bytes) -> MemoryLimiter {
    let mebibytes = memory.0 >> 20;
    MemoryLimiter {
        check_interval: "1s",
        limit_mib: mebibytes * 4 / 5,
        spike_limit_mib: mebibytes / 5,
    }
}

/// Errors and slow traces always, the rest by chance. Where everything is kept one policy says so; the sampler stays, so
/// that a laptop runs the same pipeline as production.
fn tail_sampling(inputs: Inputs<'_>) -> TailSampling {
    let tracing = &inputs.env.tracing;
    let num_traces = sizing::traces_in_memory(inputs);
    let policy = |name, rule| Policy { name, rule };
    let policies = if tracing.keep == Percent::whole(100) {
        vec![policy("everything", PolicyRule::AlwaysSample)]
    } else {
        let status_code = StatusCode {
            status_codes: vec!["ERROR"],
        };
        let latency = Latency {
            threshold_ms: tracing.slower_than.0,
        };
        let probabilistic = Probabilistic {
            sampling_percentage: tracing.keep.percent(),
        };
        vec![
            policy("errors", PolicyRule::StatusCode { status_code }),
            policy("slow", PolicyRule::Latency { latency }),
            policy("rest", PolicyRule::Probabilistic { probabilistic }),
        ]
    };
    TailSampling {
        decision_wait: tracing.decision_wait.go(),
        num_traces,
        expected_new_traces_per_sec: sizing::traces_per_second(inputs),
        decision_cache: DecisionCache {
            sampled_cache_size: num_traces * 10,
            non_sampled_cache_size: num_traces * 20,
        },
        policies,
    }
}
