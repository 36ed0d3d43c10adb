//! What scales the services.

use super::units::{Duration, Percent};
use schemars::JsonSchema;
use serde::Deserialize;

/// What scales the services. Those that answer requests scale on processor use by a plain HPA in every
/// environment; those that consume events scale on lag by what is chosen here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Autoscaler {
    /// KEDA: a ScaledObject per consumer.
    pub keda: Option<Keda>,
    /// HPA on an external metric that prometheus-adapter serves.
    pub hpa: Option<HpaAdapter>,
    /// When a consumer gets another pod. Default: at 100 waiting events per pod.
    pub lag: Option<Lag>,
    /// Processor use, of what is requested, at which a service gets another pod. Default: 70 %.
    pub cpu: Option<Percent>,
    /// How long less must have been enough before pods are taken away. Default: 300 s.
    pub scale_down_after: Option<Duration>,
    /// How many pods may be added per `scaleUpPeriod`. Default: 2.
    #[schemars(range(min = 1, max = 100))]
    pub scale_up_pods: Option<u32>,
    /// See `scaleUpPods`. Default: 60 s.
    pub scale_up_period: Option<Duration>,
    /// How far from its target a metric may be without scaling; needs Kubernetes 1.35. Default: the cluster's, 10 %.
    pub tolerance: Option<Percent>,
}

/// KEDA's settings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Keda {
    /// How often KEDA asks Kafka for the lag. Default: 15 s.
    pub polling_interval: Option<Duration>,
}

/// Settings of the HPA with prometheus-adapter.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HpaAdapter {
    /// How often the adapter looks for new series. Default: 1 m.
    pub relist_interval: Option<Duration>,
}

/// When a consumer gets another pod.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Lag {
    /// At so many waiting events per pod.
    Events(LagEvents),
    /// Derived: what one pod handles per second times the delay that is acceptable.
    Derived(LagDerived),
}

/// A number of waiting events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LagEvents {
    /// Waiting events per pod.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub per_pod: u32,
}

/// A derived number of waiting events.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LagDerived {
    /// Events that one pod handles per second.
    #[schemars(range(min = 1, max = 100_000))]
    pub rate_per_pod: u32,
    /// The delay that is acceptable.
    pub delay: Duration,
}
