//! Flux's spelling of a release: a `HelmRelease` and the source of its chart.

use super::{ChangedByOthers, ChartSource, OnFailure, Release};
use crate::artefact::{Artefact, Artefacts, Place, Resource, meta};
use crate::emit::FLUX_NAMESPACE;
use crate::pins::Pin;
use crate::spec::units::Duration;
use serde::Serialize;
use serde_yaml::Value;

/// Name of the `GitRepository` that every stage and every chart of ours is read from.
pub const GIT_SOURCE: &str = "taskflow";

const SOURCE_API: &str = "source.toolkit.fluxcd.io/v1";
const RELEASE_API: &str = "helm.toolkit.fluxcd.io/v2";
/// How often a release is compared with the cluster; a change in the repository is seen at once.
const INTERVAL: Duration = Duration::seconds(30 * 60);
/// How often a chart repository is asked. Versions are pinned: this only tells whether it is still there.
const SOURCE_INTERVAL: Duration = Duration::seconds(12 * 60 * 60);
/// How long a chart repository may take to answer.
const SOURCE_TIMEOUT: Duration = Duration::seconds(120);
/// Releases that Helm remembers; a rollback needs at least two.
const MAX_HISTORY: u32 = 5;

pub(super) fn add<'a>(
    release: &Release,
    artefacts: &'a mut Artefacts,
    family: &'static str,
    place: Place,
    pointer: &str,
) -> &'a mut Artefact {
    add_source(&release.chart, artefacts, family, &place, pointer);
    let metadata = meta(&release.namespace, &release.name);
    let object = Resource::new(RELEASE_API, "HelmRelease", metadata, spec(release));
    artefacts.add_at(family, place, pointer, &object)
}

/// The source beside the release, once: two charts may come from one repository.
fn add_source(chart: &ChartSource, artefacts: &mut Artefacts, family: &'static str, place: &Place, pointer: &str) {
    let Some(source) = source_of(chart) else {
        return;
    };
    if artefacts
        .of_kind(source.kind)
        .any(|(_, object)| object.name == source.name)
    {
        return;
    }
    let metadata = meta(FLUX_NAMESPACE, source.name);
    match chart {
        ChartSource::HelmRepository(pin) => {
            let repository = Resource::new(SOURCE_API, source.kind, metadata, HelmRepository::of(pin));
            artefacts.add_at(family, place.clone(), pointer, &repository);
        }
        ChartSource::OciRepository(pin) => {
            let repository = Resource::new(SOURCE_API, source.kind, metadata, OciRepository::of(pin));
            artefacts.add_at(family, place.clone(), pointer, &repository);
        }
        ChartSource::GitPath(_) => {}
    }
}

/// A chart's source of its own. A path in our repository has none: the entry brings that one.
fn source_of(chart: &ChartSource) -> Option<SourceRef> {
    match chart {
        ChartSource::HelmRepository(pin) => Some(SourceRef::new("HelmRepository", &repository_name(pin.location))),
        ChartSource::OciRepository(pin) => Some(SourceRef::new("OCIRepository", pin.name)),
        ChartSource::GitPath(_) => None,
    }
}

/// The name of a Helm repository: whose it is, by its host, such as `prometheus-community`.
fn repository_name(location: &str) -> String {
    let host = location.trim_start_matches("https://");
    let host = host.split('/').next().unwrap_or(host);
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [owner, "github", "io"] | [.., owner, _] => (*owner).to_owned(),
        _ => host.to_owned(),
    }
}

fn spec(release: &Release) -> HelmRelease<'_> {
    let (chart, chart_ref) = match &release.chart {
        ChartSource::HelmRepository(pin) => (Some(Chart::of_others(pin, source_of(&release.chart))), None),
        ChartSource::OciRepository(_) => (None, source_of(&release.chart)),
        ChartSource::GitPath(path) => (Some(Chart::of_ours(path)), None),
    };
    HelmRelease {
        suspend: release.suspend.then_some(true),
        interval: INTERVAL.go(),
        timeout: release.timeout.go(),
        release_name: &release.name,
        max_history: MAX_HISTORY,
        chart,
        chart_ref,
        install: Action::install(release.on_failure),
        upgrade: Action::upgrade(release.on_failure),
        rollback: matches!(release.on_failure, OnFailure::RollBack).then_some(Rollback { cleanup_on_fail: true }),
        test: release.test.then_some(Test { enable: true }),
        drift_detection: DriftDetection {
            mode: "enabled",
            ignore: release.changed_by_others.iter().map(IgnoreRule::of).collect(),
        },
        values: &release.values,
    }
}

#[derive(Serialize)]
struct HelmRepository {
    url: &'static str,
    interval: String,
    timeout: String,
}

impl HelmRepository {
    fn of(pin: &Pin) -> Self {
        Self {
            url: pin.location,
            interval: SOURCE_INTERVAL.go(),
            timeout: SOURCE_TIMEOUT.go(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OciRepository {
    url: &'static str,
    r#ref: OciRef,
    interval: String,
    timeout: String,
    layer_selector: LayerSelector,
}

#[derive(Serialize)]
struct OciRef {
    tag: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LayerSelector {
    media_type: &'static str,
    operation: &'static str,
}

impl OciRepository {
    fn of(pin: &Pin) -> Self {
        Self {
            url: pin.location,
            r#ref: OciRef { tag: pin.version },
            interval: SOURCE_INTERVAL.go(),
            timeout: SOURCE_TIMEOUT.go(),
            // The chart's archive as it is; the default would unpack the first layer, whatever that is.
            layer_selector: LayerSelector {
                media_type: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
                operation: "copy",
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HelmRelease<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    suspend: Option<bool>,
    interval: String,
    timeout: String,
    release_name: &'a str,
    max_history: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    chart: Option<Chart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chart_ref: Option<SourceRef>,
    install: Action,
    upgrade: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    rollback: Option<Rollback>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Test>,
    drift_detection: DriftDetection,
    values: &'a Value,
}

#[derive(Serialize)]
struct Chart {
    spec: ChartSpec,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChartSpec {
    chart: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    source_ref: SourceRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    reconcile_strategy: Option<&'static str>,
    interval: String,
}

impl Chart {
    fn of_others(pin: &Pin, source: Option<SourceRef>) -> Self {
        Self {
            spec: ChartSpec {
                chart: pin.name.to_owned(),
                version: Some(pin.version),
                source_ref: source.expect("a repository's chart has a source"),
                reconcile_strategy: None,
                interval: SOURCE_INTERVAL.go(),
            },
        }
    }

    fn of_ours(path: &str) -> Self {
        Self {
            spec: ChartSpec {
                chart: format!("./{}", path.trim_start_matches("./")),
                version: None,
                source_ref: SourceRef::new("GitRepository", GIT_SOURCE),
                // `Revision` would upgrade every release at every commit; a test sees to it that versions rise instead.
                reconcile_strategy: Some("ChartVersion"),
                interval: INTERVAL.go(),
            },
        }
    }
}

#[derive(Serialize)]
struct SourceRef {
    kind: &'static str,
    name: String,
    namespace: &'static str,
}

impl SourceRef {
    fn new(kind: &'static str, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            namespace: FLUX_NAMESPACE,
        }
    }
}

/// `install` or `upgrade`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    crds: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cleanup_on_fail: Option<bool>,
    strategy: Strategy,
    #[serde(skip_serializing_if = "Option::is_none")]
    remediation: Option<Remediation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Strategy {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_interval: Option<String>,
}

/// What to do with a failed action. Flux reads it with `RemediateOnFailure` only.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Remediation {
    retries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy: Option<&'static str>,
    remediate_last_failure: bool,
}

impl Action {
    fn install(on_failure: OnFailure) -> Self {
        Self {
            // By default an installation creates CRDs, and leaves old ones that it finds as they are.
            crds: "CreateReplace",
            cleanup_on_fail: None,
            strategy: Strategy::of(on_failure),
            remediation: matches!(on_failure, OnFailure::RollBack).then_some(Remediation {
                retries: 0,
                strategy: None,
                remediate_last_failure: true,
            }),
        }
    }

    fn upgrade(on_failure: OnFailure) -> Self {
        Self {
            // By default an upgrade does not touch CRDs.
            crds: "CreateReplace",
            // What an upgrade made new goes with it. What is tried again finds it, and keeps it.
            cleanup_on_fail: matches!(on_failure, OnFailure::RollBack).then_some(true),
            strategy: Strategy::of(on_failure),
            remediation: matches!(on_failure, OnFailure::RollBack).then_some(Remediation {
                retries: 0,
                strategy: Some("rollback"),
                remediate_last_failure: true,
            }),
        }
    }
}

impl Strategy {
    fn of(on_failure: OnFailure) -> Self {
        match on_failure {
            OnFailure::Retry { interval } => Self {
                name: "RetryOnFailure",
                retry_interval: Some(interval.go()),
            },
            OnFailure::RollBack => Self {
                name: "RemediateOnFailure",
                retry_interval: None,
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rollback {
    cleanup_on_fail: bool,
}

#[derive(Serialize)]
struct Test {
    enable: bool,
}

#[derive(Serialize)]
struct DriftDetection {
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignore: Vec<IgnoreRule>,
}

#[derive(Serialize)]
struct IgnoreRule {
    paths: Vec<String>,
    target: IgnoreTarget,
}

#[derive(Serialize)]
struct IgnoreTarget {
    kind: &'static str,
}

impl IgnoreRule {
    fn of(changed: &ChangedByOthers) -> Self {
        Self {
            paths: changed.paths.clone(),
            target: IgnoreTarget { kind: changed.kind },
        }
    }
}
