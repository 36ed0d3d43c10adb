//! What holds for every environment's Dapr objects.

use super::*;
use crate::pubsub_kafka::{self, DaprVersion};
use crate::resolve;
use crate::source::Source;
use crate::spec::{self, lock::Lock};
use catalogue::Catalogue;
use serde_yaml::Value;

const SPECS: [(&str, &str); 4] = [
    ("minikube", include_str!("../../../../environments/minikube.yaml")),
    ("oke", include_str!("../../../../environments/oke.yaml")),
    ("aks", include_str!("../../../../environments/aks.yaml")),
    ("gke", include_str!("../../../../environments/gke.yaml")),
];

fn emitted(text: &str, emit: impl Fn(Inputs<'_>, &mut Artefacts)) -> Artefacts {
    let catalogue = Catalogue::taskflow();
    let written = spec::parse(Source::new("environments/it.yaml", text), &catalogue).unwrap();
    let env = resolve::resolve(&written, Lock::default(), &catalogue);
    let mut artefacts = Artefacts::default();
    let inputs = Inputs {
        env: &env,
        catalogue: &catalogue,
    };
    emit(inputs, &mut artefacts);
    artefacts
}

fn self_hosted(text: &str) -> Artefacts {
    let target = SelfHosted {
        brokers: "127.0.0.1:9092".to_owned(),
        otlp: None,
    };
    emitted(text, |inputs, artefacts| emit_self_hosted(inputs, &target, artefacts))
}

fn metadata_names(component: &Object) -> Vec<&str> {
    let items = component.at("/spec/metadata").and_then(Value::as_sequence);
    let names = items.into_iter().flatten().filter_map(|item| item.get("name"));
    names.filter_map(Value::as_str).collect()
}

#[test]
fn components_hold_only_keys_that_this_dapr_has_each_once() {
    for version in ["1.18.3", "1.18.1"] {
        for (name, text) in SPECS {
            let artefacts = emitted(&format!("{text}dapr: {{ version: {version} }}\n"), emit);
            assert!(artefacts.of_kind("Component").count() > 0);
            for (_, component) in artefacts.of_kind("Component") {
                let mut names = metadata_names(component);
                for key in &names {
                    let known = pubsub_kafka::key(key).unwrap_or_else(|| panic!("{name}: {key}"));
                    assert!(known.since <= version.parse::<DaprVersion>().unwrap(), "{name}: {key}");
                }
                names.sort_unstable();
                assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {names:?}");
            }
        }
    }
}

#[test]
fn a_tunable_key_of_the_environment_replaces_ours() {
    let (_, text) = SPECS[0];
    let text = format!("{text}dapr: {{ metadata: {{ version: \"2.8.0\" }} }}\n");
    let artefacts = emitted(&text, emit);
    for (_, component) in artefacts.of_kind("Component") {
        let versions = metadata_names(component).into_iter().filter(|name| *name == "version");
        assert_eq!(versions.count(), 1);
    }
}

#[test]
fn a_dead_letter_topic_is_named_together_with_a_retry_and_may_be_published_to() {
    for (_, text) in SPECS {
        let artefacts = emitted(text, emit);
        for (_, subscription) in artefacts.of_kind("Subscription") {
            let Some(twin) = subscription.at("/spec/deadLetterTopic").and_then(Value::as_str) else {
                continue;
            };
            let component = subscription.at("/spec/pubsubname").and_then(Value::as_str).unwrap();
            let app_id = subscription.at("/scopes/0").and_then(Value::as_str).unwrap();
            let (_, resiliency) = artefacts
                .of_kind("Resiliency")
                .find(|(_, it)| it.name == app_id)
                .unwrap();
            let target = format!("/spec/targets/components/{component}/inbound/retry");
            assert!(resiliency.at(&target).is_some(), "{app_id} retries nothing");
            let (_, component) = artefacts
                .of_kind("Component")
                .find(|(_, it)| it.name == component)
                .unwrap();
            let scopes = crate::yaml::write(&component.value);
            assert!(
                scopes.contains(&format!("{app_id}=")) && scopes.contains(twin),
                "{app_id}"
            );
        }
    }
}

#[test]
fn the_self_hosted_form_needs_no_cluster() {
    for (name, text) in SPECS {
        let artefacts = self_hosted(text);
        for (artefact, object) in artefacts.objects() {
            let text = crate::yaml::write(&object.value);
            for word in ["secretKeyRef", "accessControl", "namespace:", "9093"] {
                assert!(!text.contains(word), "{name}: {} holds {word}", artefact.path);
            }
        }
        let config = artefacts.iter().filter(|artefact| artefact.path == "config.yaml");
        assert_eq!(config.count(), 1, "{name}");
    }
}

#[test]
fn both_forms_subscribe_and_retry_alike() {
    for (name, text) in SPECS {
        let (cluster, local) = (emitted(text, emit), self_hosted(text));
        for kind in ["Subscription", "Resiliency"] {
            let specs = |artefacts: &Artefacts| -> Vec<String> {
                let objects = artefacts.of_kind(kind).map(|(_, object)| object.at("/spec").unwrap());
                objects.map(crate::yaml::write).collect()
            };
            assert_eq!(specs(&cluster), specs(&local), "{name}: {kind}");
        }
    }
}

#[test]
fn where_the_bus_is_kafka_there_is_nothing_of_dapr() {
    let (_, text) = SPECS[0];
    let text = format!("{text}bus: kafka\n");
    assert!(emitted(&text, emit).is_empty());
    assert!(self_hosted(&text).is_empty());
}
