//! What scales, and when.

use super::Defaults;
use crate::spec::autoscaler as written;
use crate::spec::units::{Duration, Percent};

/// What scales the consumers.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    /// By which means; rules see to it that exactly one was written.
    pub kind: ScalerKind,
    /// Whether KEDA was written.
    pub has_keda: bool,
    /// Whether the HPA with an adapter was written.
    pub has_hpa: bool,
    /// Waiting events per pod at which there must be another pod.
    pub lag_per_pod: u32,
    /// Processor use, of what is requested.
    pub cpu: Percent,
    /// How long less must have been enough before pods are taken away.
    pub scale_down_after: Duration,
    /// Pods that may be added per period.
    pub scale_up_pods: u32,
    /// That period.
    pub scale_up_period: Duration,
    /// Tolerance, where the spec sets one.
    pub tolerance: Option<Percent>,
}

/// By which means consumers scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalerKind {
    /// A ScaledObject per consumer.
    Keda {
        /// How often KEDA asks Kafka.
        polling_interval: Duration,
    },
    /// An HPA on an external metric.
    Hpa {
        /// How often the adapter looks for series.
        relist_interval: Duration,
    },
}

pub(super) fn resolve(written: &written::Autoscaler, defaults: &mut Defaults) -> Autoscaler {
    let kind = match (&written.keda, &written.hpa) {
        (None, Some(hpa)) => ScalerKind::Hpa {
            relist_interval: defaults.take(
                hpa.relist_interval,
                "/autoscaler/hpa/relistInterval",
                Duration::seconds(60),
                "the adapter's own is 10 m: too late for a new series",
            ),
        },
        (keda, _) => ScalerKind::Keda {
            polling_interval: defaults.take(
                keda.as_ref().and_then(|keda| keda.polling_interval),
                "/autoscaler/keda/pollingInterval",
                Duration::seconds(15),
                "the HPA's own period",
            ),
        },
    };
    let lag_per_pod = match &written.lag {
        Some(written::Lag::Events(events)) => events.per_pod,
        Some(written::Lag::Derived(derived)) => {
            let waiting = u64::from(derived.rate_per_pod) * derived.delay.0 / 1000;
            u32::try_from(waiting.max(1)).unwrap_or(u32::MAX)
        }
        None => defaults.take(None, "/autoscaler/lag/events/perPod", 100, "the design"),
    };
    Autoscaler {
        kind,
        has_keda: written.keda.is_some(),
        has_hpa: written.hpa.is_some(),
        lag_per_pod,
        cpu: defaults.take(written.cpu, "/autoscaler/cpu", Percent::whole(70), "the design"),
        scale_down_after: defaults.take(
            written.scale_down_after,
            "/autoscaler/scaleDownAfter",
            Duration::seconds(300),
            "the design",
        ),
        scale_up_pods: defaults.take(written.scale_up_pods, "/autoscaler/scaleUpPods", 2, "the design"),
        scale_up_period: defaults.take(
            written.scale_up_period,
            "/autoscaler/scaleUpPeriod",
            Duration::seconds(60),
            "the design",
        ),
        tolerance: written.tolerance,
    }
}
