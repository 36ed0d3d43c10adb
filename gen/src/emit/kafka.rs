//! Kafka: the cluster, its topics and users; or the external form.

mod crd;
mod exporter;
mod external;
mod metrics;
mod strimzi;
mod topics;
mod users;

use super::Inputs;
use super::container::unprivileged;
use crate::artefact::{Artefacts, Stage, meta};
use crate::resolve::{Brokers, Environment, NAMESPACE};
use catalogue::Catalogue;
use k8s_openapi::api::core::v1::{SeccompProfile, SecurityContext};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;

const FAMILY: &str = "kafka";
const STAGE: Stage = Stage::Data;

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    match &inputs.env.kafka.brokers {
        Brokers::Strimzi(brokers) => {
            metrics::emit(artefacts);
            strimzi::emit(inputs, brokers, artefacts);
            topics::emit(inputs.env, artefacts);
            users::emit(inputs, artefacts);
        }
        Brokers::External(brokers) => {
            external::emit(inputs.env, brokers, artefacts);
            exporter::emit(inputs, brokers, artefacts);
        }
    }
}

/// The groups whose lag means work left undone, as an anchored expression: those of single replicas are not among them.
fn lag_groups(catalogue: &Catalogue) -> String {
    let groups = catalogue.services.iter().filter_map(|service| service.consumer_group);
    any_of(groups.filter_map(|group| group.shared_name()))
}

/// The topics of an environment, as an anchored expression.
fn topic_names(env: &Environment) -> String {
    any_of(env.topics.iter().map(|topic| topic.name.as_str()))
}

/// Names hold no character that an expression would read otherwise: letters, digits and `-`.
fn any_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    format!("^({})$", names.join("|"))
}

/// Metadata of an object of this family.
fn labelled(name: impl Into<String>, app: &str, component: &str) -> ObjectMeta {
    ObjectMeta {
        labels: Some(labels(app, component)),
        ..meta(NAMESPACE, name)
    }
}

fn labels(app: &str, component: &str) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("app.kubernetes.io/component".to_owned(), component.to_owned()),
        ("app.kubernetes.io/name".to_owned(), app.to_owned()),
    ])
}

/// What the Pod Security level `restricted` asks of a container. The image names a numeric user itself.
fn restricted() -> SecurityContext {
    SecurityContext {
        run_as_non_root: Some(true),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..unprivileged()
    }
}
