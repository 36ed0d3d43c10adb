//! What the family promises about every environment.

use super::super::{Inputs, alerts, monitors};
use super::{COLLECTOR, SAMPLER, ZIPKIN};
use crate::artefact::{Artefacts, Object};
use crate::resolve;
use crate::source::Source;
use crate::spec;
use crate::spec::lock::Lock;
use catalogue::Catalogue;
use serde_yaml::Value;
use std::fs;
use std::path::Path;

/// What this family, the alerts and the monitors make of an environment of this repository.
pub(super) fn emitted(environment: &str) -> Artefacts {
    emitted_with(environment, |text| text)
}

fn emitted_with(environment: &str, change: impl Fn(String) -> String) -> Artefacts {
    let catalogue = Catalogue::taskflow();
    let path = format!("environments/{environment}.yaml");
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&path)).unwrap();
    let written = spec::parse(Source::new(path, change(text)), &catalogue).unwrap();
    let env = resolve::resolve(&written, Lock::default(), &catalogue);
    let inputs = Inputs {
        env: &env,
        catalogue: &catalogue,
    };
    let mut artefacts = Artefacts::default();
    super::emit(inputs, &mut artefacts);
    alerts::emit(inputs, &mut artefacts);
    monitors::emit(inputs, &mut artefacts);
    artefacts
}

fn object<'a>(artefacts: &'a Artefacts, kind: &'a str, name: &str) -> &'a Object {
    let mut objects = artefacts.of_kind(kind).map(|(_, object)| object);
    objects
        .find(|object| object.name == name)
        .unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn config(artefacts: &Artefacts, name: &str) -> Value {
    let map = object(artefacts, "ConfigMap", name);
    let text = map.at("/data/collector.yaml").and_then(Value::as_str).unwrap();
    serde_yaml::from_str(text).unwrap()
}

fn policies(config: &Value) -> Vec<&str> {
    let policies = config["processors"]["tail_sampling"]["policies"].as_sequence().unwrap();
    policies.iter().map(|policy| policy["type"].as_str().unwrap()).collect()
}

#[test]
fn a_single_collector_decides_itself() {
    let artefacts = emitted("oke");
    let config = config(&artefacts, COLLECTOR);
    assert_eq!(policies(&config), ["status_code", "latency", "probabilistic"]);
    let order = &config["service"]["pipelines"]["traces"]["processors"];
    assert_eq!(
        order,
        &serde_yaml::from_str::<Value>("[memory_limiter, tail_sampling, batch]").unwrap()
    );
    assert!(
        artefacts
            .of_kind("StatefulSet")
            .all(|(_, object)| object.name != SAMPLER)
    );
    assert!(
        artefacts.of_kind("PodDisruptionBudget").next().is_none(),
        "a single pod may always be moved"
    );
}

#[test]
fn several_samplers_get_whole_traces_from_the_balancers() {
    let artefacts = emitted("aks");
    let first = config(&artefacts, COLLECTOR);
    assert!(first["processors"].get("tail_sampling").is_none());
    let balancing = &first["exporters"]["loadbalancing"];
    assert_eq!(balancing["routing_key"], "traceID");
    assert_eq!(
        balancing["resolver"]["dns"]["hostname"],
        "otel-sampler.observability.svc"
    );
    let headless = object(&artefacts, "Service", SAMPLER);
    assert_eq!(headless.at("/spec/clusterIP").and_then(Value::as_str), Some("None"));
    let second = config(&artefacts, SAMPLER);
    assert_eq!(
        second["exporters"]["zipkin"]["endpoint"],
        "http://zipkin.observability.svc:9411/api/v2/spans"
    );
    for name in [COLLECTOR, SAMPLER, ZIPKIN] {
        object(&artefacts, "PodDisruptionBudget", name);
    }
}

#[test]
fn spans_are_sent_where_the_collector_listens() {
    let address = format!("{}:{}", super::address(COLLECTOR), super::OTLP_GRPC);
    assert_eq!(resolve::otlp_address(), address);
}

#[test]
fn where_everything_is_kept_one_policy_says_so() {
    assert_eq!(policies(&config(&emitted("minikube"), COLLECTOR)), ["always_sample"]);
}

#[test]
fn metrics_of_the_collector_keep_their_documented_names() {
    for environment in ["aks", "oke"] {
        let config = config(&emitted(environment), COLLECTOR);
        let reader = &config["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]["prometheus"];
        for switch in ["without_scope_info", "without_type_suffix", "without_units"] {
            assert_eq!(reader[switch], true, "{environment}: {switch}");
        }
    }
}

#[test]
fn a_changed_configuration_changes_the_pods_and_nothing_is_renamed() {
    let before = emitted("oke");
    let after = emitted_with("oke", |text| text.replace("keep: 10%", "keep: 20%"));
    let sum = |artefacts: &Artefacts| {
        let deployment = object(artefacts, "Deployment", COLLECTOR);
        let annotations = deployment.at("/spec/template/metadata/annotations").unwrap();
        annotations["checksum/config"].as_str().unwrap().to_owned()
    };
    assert_ne!(sum(&before), sum(&after));
    let paths = |artefacts: &Artefacts| {
        artefacts
            .iter()
            .map(|artefact| artefact.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths(&before), paths(&after));
}

#[test]
fn memory_in_zipkin_follows_the_spans_and_the_footprint_the_manifest() {
    let small = emitted("oke");
    let large = emitted_with("oke", |text| text.replace("maxSpans: 200000", "maxSpans: 2000000"));
    let memory = |artefacts: &Artefacts| {
        let pod = "/spec/template/spec/containers/0/resources/requests/memory";
        let asked = object(artefacts, "Deployment", ZIPKIN)
            .at(pod)
            .and_then(Value::as_str)
            .unwrap()
            .to_owned();
        let footprint = artefacts
            .footprints
            .iter()
            .find(|footprint| footprint.name == ZIPKIN)
            .unwrap();
        assert_eq!(footprint.memory.to_string(), asked);
        footprint.memory.0
    };
    assert!(memory(&large) > memory(&small) + (1_800_000 << 10));
    assert_eq!(
        object(&small, "Deployment", ZIPKIN)
            .at("/spec/strategy/type")
            .and_then(Value::as_str),
        Some("Recreate")
    );
}

#[test]
fn every_workload_has_its_footprint_and_every_pod_is_hardened() {
    for environment in ["aks", "gke", "minikube", "oke"] {
        let artefacts = emitted(environment);
        for (_, object) in artefacts.objects() {
            let pod = match object.kind.as_str() {
                "Deployment" | "StatefulSet" => "/spec/template/spec",
                "CronJob" => "/spec/jobTemplate/spec/template/spec",
                _ => continue,
            };
            let at = |path: &str| object.at(&format!("{pod}{path}"));
            let name = &object.name;
            assert!(
                artefacts.footprints.iter().any(|footprint| footprint.name == *name),
                "{name}"
            );
            assert_eq!(at("/securityContext/runAsNonRoot"), Some(&Value::Bool(true)), "{name}");
            assert_eq!(at("/automountServiceAccountToken"), Some(&Value::Bool(false)), "{name}");
            let container = "/containers/0/securityContext";
            assert_eq!(
                at(&format!("{container}/allowPrivilegeEscalation")),
                Some(&Value::Bool(false)),
                "{name}"
            );
            assert_eq!(
                at(&format!("{container}/capabilities/drop/0")).and_then(Value::as_str),
                Some("ALL"),
                "{name}"
            );
        }
    }
}

/// A monitor whose selector or port misses its pods scrapes nothing and says nothing.
#[test]
fn monitors_find_the_collectors_pods_and_port() {
    for environment in ["aks", "oke"] {
        let artefacts = emitted(environment);
        let monitor = object(&artefacts, "PodMonitor", "otel-collectors");
        let port = monitor.at("/spec/podMetricsEndpoints/0/port").unwrap();
        let names = monitor
            .at("/spec/selector/matchExpressions/0/values")
            .and_then(Value::as_sequence)
            .unwrap();
        for name in names {
            let name = name.as_str().unwrap();
            let kind = if name == SAMPLER { "StatefulSet" } else { "Deployment" };
            let workload = object(&artefacts, kind, name);
            let labels = workload.at("/spec/template/metadata/labels").unwrap();
            assert_eq!(labels["app.kubernetes.io/name"], *name);
            let ports = workload
                .at("/spec/template/spec/containers/0/ports")
                .and_then(Value::as_sequence)
                .unwrap();
            assert!(ports.iter().any(|it| it.get("name") == Some(port)), "{name}");
        }
    }
}
