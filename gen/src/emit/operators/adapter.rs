//! prometheus-adapter: consumer lag as an external metric for plain HPAs.

use super::{Replaced, Resources, Size, Workload, install, size};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::emit::base::PRIORITY_OBSERVABILITY;
use crate::emit::operators::prometheus;
use crate::pins;
use crate::release::Release;
use crate::resolve::{OBSERVABILITY, ScalerKind};
use serde::Serialize;

/// The lag of a consumer group on a topic, as kafka-exporter sums it up: partitions without a committed offset are
/// left out, where the metric per partition says -1.
const LAG: &str = "kafka_consumergroup_lag_sum";

const ADAPTER: Size = size(5, 96, "estimate; the chart asks for nothing");
const ADAPTER_IN_PRODUCTION: Size = size(100, 192, "estimate; the chart asks for nothing");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Values {
    prometheus: Prometheus,
    replicas: u32,
    metrics_relist_interval: String,
    priority_class_name: &'static str,
    pod_disruption_budget: Enabled,
    rules: Rules,
    resources: Resources,
}

#[derive(Serialize)]
struct Prometheus {
    url: String,
    port: u16,
}

#[derive(Serialize)]
struct Enabled {
    enabled: bool,
}

#[derive(Serialize)]
struct Rules {
    default: bool,
    external: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    series_query: String,
    resources: RuleResources,
    name: RuleName,
    metrics_query: &'static str,
}

#[derive(Serialize)]
struct RuleResources {
    namespaced: bool,
}

#[derive(Serialize)]
struct RuleName {
    r#as: &'static str,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let ScalerKind::Hpa { relist_interval } = inputs.env.autoscaler.kind else {
        return;
    };
    let (replicas, size) = if inputs.env.is_production() {
        (2, ADAPTER_IN_PRODUCTION)
    } else {
        (1, ADAPTER)
    };
    let values = Values {
        prometheus: Prometheus {
            url: format!("http://{}", prometheus::HOST),
            port: prometheus::PORT,
        },
        replicas,
        metrics_relist_interval: relist_interval.go(),
        priority_class_name: PRIORITY_OBSERVABILITY,
        pod_disruption_budget: Enabled { enabled: replicas > 1 },
        rules: Rules {
            // The chart's own rules would serve every metric of the cluster under two APIs.
            default: false,
            external: vec![Rule {
                series_query: format!("{LAG}{{consumergroup!=\"\",topic!=\"\"}}"),
                // Else the adapter asks for the HPA's namespace in a label that the series do not have.
                resources: RuleResources { namespaced: false },
                name: RuleName { r#as: LAG },
                metrics_query: "sum(<<.Series>>{<<.LabelMatchers>>}) by (consumergroup, topic)",
            }],
        },
        resources: size.resources(),
    };
    let release = Release::of_others(pins::PROMETHEUS_ADAPTER, OBSERVABILITY, &values);
    install(artefacts, "/autoscaler/hpa", &release, &[]);
    Workload {
        name: "prometheus-adapter",
        namespace: OBSERVABILITY,
        replicas,
        replaced: Replaced::Rolling,
        size,
        volume: None,
    }
    .counted(artefacts);
}
