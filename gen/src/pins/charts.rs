//! Charts of operators.

use super::{DAPR_VERSION, Evidence, Pin, PinKind};

/// CloudNativePG. 1.30 is the line that supports Kubernetes 1.34 to 1.36 (`docs/src/supported_releases.md` at v1.30.0).
pub const CLOUDNATIVE_PG: Pin = Pin {
    name: "cloudnative-pg",
    kind: PinKind::HelmChart,
    location: "https://cloudnative-pg.github.io/charts",
    version: "0.29.0",
    brings: "1.30.0",
    evidence: Evidence::ReadFrom("cloudnative-pg/charts:charts/cloudnative-pg/Chart.yaml@cloudnative-pg-v0.29.0"),
};

/// Dapr's control plane.
pub const DAPR: Pin = Pin {
    name: "dapr",
    kind: PinKind::HelmChart,
    location: "https://dapr.github.io/helm-charts",
    version: DAPR_VERSION,
    brings: DAPR_VERSION,
    evidence: Evidence::ReadFrom("dapr/helm-charts:index.yaml@3fe57fa5b8f66882a3cc83dda7f4d2e9899090e9"),
};

/// External Secrets; only its newest minor is supported.
pub const EXTERNAL_SECRETS: Pin = Pin {
    name: "external-secrets",
    kind: PinKind::HelmChart,
    location: "https://charts.external-secrets.io",
    version: "2.9.0",
    brings: "2.9.0",
    evidence: Evidence::ReadFrom(
        "external-secrets/external-secrets:deploy/charts/external-secrets/Chart.yaml@helm-chart-2.9.0",
    ),
};

/// Grafana. It is a release of its own, since its password comes from the vault, after the operators.
pub const GRAFANA: Pin = Pin {
    name: "grafana",
    kind: PinKind::HelmChart,
    location: "https://grafana-community.github.io/helm-charts",
    version: "12.11.1",
    brings: "13.2.0",
    evidence: Evidence::ReadFrom("grafana-community/helm-charts:charts/grafana/Chart.yaml@grafana-12.11.1"),
};

/// KEDA.
pub const KEDA: Pin = Pin {
    name: "keda",
    kind: PinKind::HelmChart,
    location: "https://kedacore.github.io/charts",
    version: "2.20.2",
    brings: "2.20.2",
    evidence: Evidence::ReadFrom("kedacore/charts:keda/Chart.yaml@v2.20.2"),
};

/// Prometheus, its operator, and what stands beside it.
pub const KUBE_PROMETHEUS_STACK: Pin = Pin {
    name: "kube-prometheus-stack",
    kind: PinKind::HelmChart,
    location: "https://prometheus-community.github.io/helm-charts",
    version: "88.5.3",
    brings: "0.93.1",
    evidence: Evidence::ReadFrom(
        "prometheus-community/helm-charts:charts/kube-prometheus-stack/Chart.yaml@kube-prometheus-stack-88.5.3",
    ),
};

/// The source of processor use for an HPA, where the platform has none.
pub const METRICS_SERVER: Pin = Pin {
    name: "metrics-server",
    kind: PinKind::HelmChart,
    location: "https://kubernetes-sigs.github.io/metrics-server",
    version: "3.13.1",
    brings: "0.8.1",
    evidence: Evidence::ReadFrom(
        "kubernetes-sigs/metrics-server:charts/metrics-server/Chart.yaml@metrics-server-helm-chart-3.13.1",
    ),
};

/// The adapter between an HPA and Prometheus.
pub const PROMETHEUS_ADAPTER: Pin = Pin {
    name: "prometheus-adapter",
    kind: PinKind::HelmChart,
    location: "https://prometheus-community.github.io/helm-charts",
    version: "5.3.0",
    brings: "0.12.0",
    evidence: Evidence::ReadFrom(
        "prometheus-community/helm-charts:charts/prometheus-adapter/Chart.yaml@prometheus-adapter-5.3.0",
    ),
};

/// Strimzi. The old repository at strimzi.io is deprecated.
pub const STRIMZI_KAFKA_OPERATOR: Pin = Pin {
    name: "strimzi-kafka-operator",
    kind: PinKind::OciChart,
    location: "oci://quay.io/strimzi-helm/strimzi-kafka-operator",
    version: "1.2.0",
    brings: "1.2.0",
    evidence: Evidence::ReadFrom("strimzi/strimzi-kafka-operator:release.version@1.2.0"),
};
