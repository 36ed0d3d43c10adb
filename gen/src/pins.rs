//! The versions of others: every chart and image that is not ours, each with where it was read.
//!
//! Nothing here is a digest: none could be looked up, and none is ever invented.

mod charts;
mod images;

pub use charts::{
    CLOUDNATIVE_PG, DAPR, EXTERNAL_SECRETS, GRAFANA, KEDA, KUBE_PROMETHEUS_STACK, METRICS_SERVER, PROMETHEUS_ADAPTER,
    STRIMZI_KAFKA_OPERATOR,
};
pub use images::{CURL, ELASTICSEARCH, KAFKA, KAFKA_EXPORTER, OTEL_COLLECTOR, POSTGRESQL, ZIPKIN};

/// The Dapr that clusters run.
pub const DAPR_VERSION: &str = "1.18.3";

/// The Kafka that Strimzi runs, and whose tools create topics at external brokers.
pub const KAFKA_VERSION: &str = "4.3.1";

/// A chart or an image of somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its name: a chart's own, or what we call an image.
    pub name: &'static str,
    /// What it is.
    pub kind: PinKind,
    /// Where it comes from: the address of a Helm repository, of a chart in a registry, or an image without its tag.
    pub location: &'static str,
    /// The chart's version, or the image's tag.
    pub version: &'static str,
    /// The version of what it brings, where that differs; else the same as `version`.
    pub brings: &'static str,
    /// How we know.
    pub evidence: Evidence,
}

/// What a [`Pin`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinKind {
    /// A chart in a Helm repository.
    HelmChart,
    /// A chart in a container registry.
    OciChart,
    /// A container image.
    Image,
}

/// How we know that a version exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It was read there: `repository:path@tag`, or the address of a page.
    ReadFrom(&'static str),
    /// It could not be looked up, for this reason.
    Unverified(&'static str),
}

impl Pin {
    /// The image as a pod names it: `registry/repository:tag`.
    pub fn image(&self) -> String {
        format!("{}:{}", self.location, self.version)
    }
}

/// Every pin, charts before images, each group by name.
pub const ALL: &[Pin] = &[
    CLOUDNATIVE_PG,
    DAPR,
    EXTERNAL_SECRETS,
    GRAFANA,
    KEDA,
    KUBE_PROMETHEUS_STACK,
    METRICS_SERVER,
    PROMETHEUS_ADAPTER,
    STRIMZI_KAFKA_OPERATOR,
    CURL,
    ELASTICSEARCH,
    KAFKA,
    KAFKA_EXPORTER,
    OTEL_COLLECTOR,
    POSTGRESQL,
    ZIPKIN,
];

#[cfg(test)]
mod tests {
    use super::{ALL, Evidence, PinKind};
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = ALL.iter().map(|pin| pin.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn every_version_has_a_source_or_says_why_not() {
        for pin in ALL {
            match pin.evidence {
                Evidence::ReadFrom(place) => assert!(
                    place.starts_with("https://") || (place.contains(':') && place.contains('@')),
                    "{}: `{place}` is no place that somebody could look at",
                    pin.name
                ),
                Evidence::Unverified(reason) => assert!(reason.len() > 20, "{}: say why", pin.name),
            }
        }
    }

    #[test]
    fn versions_are_exact() {
        for pin in ALL {
            assert!(
                pin.version.split(['.', '-']).count() >= 3 && !pin.version.contains(['*', '^', '~', '>']),
                "{}: `{}` may change under us",
                pin.name,
                pin.version
            );
        }
    }

    #[test]
    fn locations_fit_their_kind() {
        for pin in ALL {
            let fits = match pin.kind {
                PinKind::HelmChart => pin.location.starts_with("https://"),
                PinKind::OciChart => pin.location.starts_with("oci://"),
                PinKind::Image => {
                    let registry = pin.location.split('/').next().unwrap_or_default();
                    registry.contains('.') && !pin.location.contains(':')
                }
            };
            assert!(fits, "{}: {}", pin.name, pin.location);
        }
    }
}
