//! Kubernetes' own autoscaler.

use super::{FAMILY, metadata, place, pods, whole};
use crate::artefact::Artefacts;
use crate::emit::Inputs;
use crate::resolve::{Autoscaler, Service};
use k8s_openapi::api::autoscaling::v2::{
    ContainerResourceMetricSource, CrossVersionObjectReference, ExternalMetricSource, HPAScalingPolicy,
    HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior, HorizontalPodAutoscalerSpec,
    MetricIdentifier, MetricSpec, MetricTarget,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;

/// The metric that kafka-exporter serves. A partition without a committed offset counts −1 in the one per partition;
/// the sum leaves it out.
pub(super) const LAG_METRIC: &str = "kafka_consumergroup_lag_sum";

/// Scales on processor use alone.
pub(super) fn on_processor(inputs: Inputs<'_>, service: &Service, artefacts: &mut Artefacts) {
    add(inputs, service, Vec::new(), artefacts);
}

/// Scales on the lag of each topic that the service consumes, and on processor use; the largest demand wins.
pub(super) fn on_lag(inputs: Inputs<'_>, service: &Service, artefacts: &mut Artefacts) {
    let group = service.entry.consumer_group.and_then(|group| group.shared_name());
    let lag_per_pod = inputs.env.autoscaler.lag_per_pod;
    let metrics = group.map_or_else(Vec::new, |group| {
        let topics = service.entry.reads_topics();
        topics.map(|topic| lag(group, topic, lag_per_pod)).collect()
    });
    add(inputs, service, metrics, artefacts);
}

fn add(inputs: Inputs<'_>, service: &Service, mut metrics: Vec<MetricSpec>, artefacts: &mut Artefacts) {
    let autoscaler = &inputs.env.autoscaler;
    metrics.push(processor(service, autoscaler));
    let hpa = HorizontalPodAutoscaler {
        metadata: metadata(service),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: service.app_id().to_owned(),
            },
            min_replicas: Some(pods(service.min_replicas)),
            max_replicas: pods(service.max_replicas),
            metrics: Some(metrics),
            behavior: Some(behavior(autoscaler)),
        }),
        status: None,
    };
    let pointer = format!("{}/replicas", service.pointer());
    artefacts.add_at(FAMILY, place(service), &pointer, &hpa);
}

/// Use of the service's own container only (stable since Kubernetes 1.30). Over the whole pod an idle sidecar's request
/// would hide that the service is at its limit, and a busy one would add pods that do not help.
fn processor(service: &Service, autoscaler: &Autoscaler) -> MetricSpec {
    MetricSpec {
        type_: "ContainerResource".to_owned(),
        container_resource: Some(ContainerResourceMetricSource {
            container: service.app_id().to_owned(),
            name: "cpu".to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(whole(autoscaler.cpu)),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}

/// Waiting records per pod. `Value` would multiply the pods that are ready by the ratio, and never come to rest. Both
/// labels are named: series that match are summed.
fn lag(group: &str, topic: &str, lag_per_pod: u32) -> MetricSpec {
    let labels = BTreeMap::from([
        ("consumergroup".to_owned(), group.to_owned()),
        ("topic".to_owned(), topic.to_owned()),
    ]);
    MetricSpec {
        type_: "External".to_owned(),
        external: Some(ExternalMetricSource {
            metric: MetricIdentifier {
                name: LAG_METRIC.to_owned(),
                selector: Some(LabelSelector {
                    match_labels: Some(labels),
                    ..LabelSelector::default()
                }),
            },
            target: MetricTarget {
                type_: "AverageValue".to_owned(),
                average_value: Some(Quantity(lag_per_pod.to_string())),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}

/// How fast pods come and go: they go at the pace at which they may come, so that closing connections and moving
/// partitions stays small each time.
pub(super) fn behavior(autoscaler: &Autoscaler) -> HorizontalPodAutoscalerBehavior {
    let seconds = |duration: crate::spec::units::Duration| i32::try_from(duration.as_seconds()).unwrap_or(i32::MAX);
    let rules = |window: i32| HPAScalingRules {
        policies: Some(vec![HPAScalingPolicy {
            type_: "Pods".to_owned(),
            value: pods(autoscaler.scale_up_pods),
            period_seconds: seconds(autoscaler.scale_up_period),
        }]),
        select_policy: Some("Max".to_owned()),
        stabilization_window_seconds: Some(window),
        tolerance: autoscaler
            .tolerance
            .map(|percent| Quantity((f64::from(percent.0) / 10_000.0).to_string())),
    };
    HorizontalPodAutoscalerBehavior {
        scale_up: Some(rules(0)),
        scale_down: Some(rules(seconds(autoscaler.scale_down_after))),
    }
}
