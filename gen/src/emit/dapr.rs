//! What a service's Dapr sidecar loads: its Component, Subscriptions, Resiliency and Configuration.
//!
//! The cluster's form and the self-hosted one (`gen --target local`) come from the same functions; they differ in how
//! brokers are reached, in access control, which needs a cluster's certificates, and in names of namespaces.

mod component;
mod configuration;
mod objects;
mod resiliency;

pub(crate) use component::is_ours as is_our_metadata_key;

use super::Inputs;
use crate::artefact::{Artefacts, Object, Resource, Stage, cluster_meta, meta};
use crate::resolve::{Dapr, Environment, NAMESPACE, Service};
use catalogue::Subscription;
use catalogue::services::pubsub_component;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use objects::{Routes, Scoped, SubscriptionSpec, V1ALPHA1, V2ALPHA1};
use serde::Serialize;
use std::collections::BTreeMap;

const FAMILY: &str = "dapr";

/// How sidecars without a cluster reach the outside.
#[derive(Clone, Debug)]
pub struct SelfHosted {
    /// Brokers, `host:port` pairs, comma separated; without TLS and users.
    pub brokers: String,
    /// Where traces go, `host:port` for OTLP over gRPC; none are sent without it.
    pub otlp: Option<String>,
}

/// What every object is made from.
#[derive(Clone, Copy)]
struct Bus<'a> {
    inputs: Inputs<'a>,
    dapr: &'a Dapr,
    self_hosted: Option<&'a SelfHosted>,
}

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    let Some(dapr) = &inputs.env.dapr else {
        return;
    };
    let bus = Bus {
        inputs,
        dapr,
        self_hosted: None,
    };
    for service in with_sidecar(inputs.env) {
        for_service(bus, service, |pointer, object| {
            artefacts.add(FAMILY, Stage::Dapr, pointer, &object);
        });
        let metadata = bus.metadata(service, service.app_id().to_owned());
        let spec = configuration::of_service(bus, service);
        let configuration = Resource::new(V1ALPHA1, "Configuration", metadata, spec);
        artefacts.add(FAMILY, Stage::Dapr, &service.pointer(), &configuration);
    }
}

/// The self-hosted form: `resources/` and `config.yaml`. Nothing, where no service uses Dapr.
pub fn emit_self_hosted(inputs: Inputs<'_>, target: &SelfHosted, artefacts: &mut Artefacts) {
    let Some(dapr) = &inputs.env.dapr else {
        return;
    };
    let bus = Bus {
        inputs,
        dapr,
        self_hosted: Some(target),
    };
    let services: Vec<&Service> = with_sidecar(inputs.env).collect();
    for service in &services {
        for_service(bus, service, |pointer, object| {
            artefacts.add_below(FAMILY, "resources", pointer, &object);
        });
    }
    let spec = configuration::self_hosted(bus, &services, target.otlp.clone());
    let configuration = Resource::new(V1ALPHA1, "Configuration", cluster_meta("config"), spec);
    artefacts.add_as(FAMILY, "config.yaml", "/dapr", &configuration);
}

/// The objects that the pods of a service depend on: a change of one must restart them.
pub(super) fn objects_of<'a>(artefacts: &'a Artefacts, service: &Service) -> impl Iterator<Item = &'a Object> {
    let app_id = service.app_id();
    artefacts.objects().filter_map(move |(artefact, object)| {
        let scopes = object.at("/scopes/0").and_then(serde_yaml::Value::as_str);
        let mine = match object.kind.as_str() {
            "Configuration" => object.name == app_id,
            _ => scopes == Some(app_id),
        };
        (artefact.family == FAMILY && mine).then_some(object)
    })
}

fn with_sidecar(env: &Environment) -> impl Iterator<Item = &Service> {
    env.services.iter().filter(|service| service.uses_dapr())
}

/// Everything but the Configuration, which the two forms place differently.
fn for_service(bus: Bus<'_>, service: &Service, mut add: impl FnMut(&str, serde_yaml::Value)) {
    let component = pubsub_component(service.app_id());
    let spec = component::spec(bus, service);
    add(
        "/dapr/metadata",
        bus.scoped(V1ALPHA1, "Component", component, service, spec),
    );
    for subscription in consumed(bus.inputs.env, service) {
        let name = format!("{}-{}", service.app_id(), subscription.topic);
        let spec = subscription_spec(bus.inputs.env, service, subscription);
        let object = bus.scoped(V2ALPHA1, "Subscription", name, service, spec);
        add(&service.pointer(), object);
    }
    let spec = resiliency::spec(bus, service);
    let name = service.app_id().to_owned();
    add(
        "/dapr/resiliency",
        bus.scoped(V1ALPHA1, "Resiliency", name, service, spec),
    );
}

/// What a service consumes here: a twin may be switched off.
fn consumed<'a>(env: &'a Environment, service: &'a Service) -> impl Iterator<Item = &'static Subscription> + 'a {
    let consumes = service.entry.consumes.iter();
    consumes.filter(|subscription| env.topic(subscription.topic).is_some())
}

fn subscription_spec(env: &Environment, service: &Service, subscription: &Subscription) -> SubscriptionSpec {
    SubscriptionSpec {
        pubsubname: pubsub_component(service.app_id()),
        topic: subscription.topic.to_owned(),
        routes: Routes {
            default: subscription.route,
        },
        dead_letter_topic: subscription
            .dead_letter
            .filter(|twin| env.topic(twin).is_some())
            .map(ToOwned::to_owned),
        // As raw bytes everything arrives, unchanged: Dapr would write an envelope anew, and what has none would become
        // a dead letter without a word why, or hold the partition of the dead letters for ever.
        metadata: BTreeMap::from([("rawPayload", "true")]),
    }
}

impl Bus<'_> {
    fn metadata(self, service: &Service, name: String) -> ObjectMeta {
        let mut metadata = match self.self_hosted {
            Some(_) => cluster_meta(name),
            None => meta(NAMESPACE, name),
        };
        metadata.labels = Some(BTreeMap::from([
            ("app.kubernetes.io/name".to_owned(), service.app_id().to_owned()),
            ("app.kubernetes.io/component".to_owned(), "bus".to_owned()),
        ]));
        metadata
    }

    fn scoped<S: Serialize>(
        self,
        api_version: &'static str,
        kind: &'static str,
        name: String,
        service: &Service,
        spec: S,
    ) -> serde_yaml::Value {
        let scoped = Scoped {
            resource: Resource::new(api_version, kind, self.metadata(service, name), spec),
            scopes: vec![service.app_id()],
        };
        serde_yaml::to_value(scoped).expect("our own types serialise")
    }
}

#[cfg(test)]
mod tests;
