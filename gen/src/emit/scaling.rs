//! Who decides how many pods there are: an HPA for services that answer requests, and what the environment chose for
//! those that consume.
//!
//! An object stands in its service's folder: it is applied, and gone, together with the release that it scales. Where
//! one exists, the release's manifests hold no `replicas`, so that nobody fights over the number.

mod hpa;
mod keda;

use super::Inputs;
use crate::artefact::{Artefacts, Place, Stage, meta};
use crate::resolve::{NAMESPACE, ScalerKind, Service};
use crate::spec::units::Percent;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;

const FAMILY: &str = "scaling";

pub(super) fn emit(inputs: Inputs<'_>, artefacts: &mut Artefacts) {
    for service in inputs.env.services.iter().filter(|service| service.is_scaled()) {
        if !service.scales_on_lag() {
            hpa::on_processor(inputs, service, artefacts);
            continue;
        }
        match inputs.env.autoscaler.kind {
            ScalerKind::Keda { polling_interval } => keda::emit(inputs, service, polling_interval, artefacts),
            ScalerKind::Hpa { .. } => hpa::on_lag(inputs, service, artefacts),
        }
    }
}

fn place(service: &Service) -> Place {
    Place::Stage(Stage::Apps, Some(service.app_id().to_owned()))
}

fn metadata(service: &Service) -> ObjectMeta {
    let mut metadata = meta(NAMESPACE, service.app_id());
    metadata.labels = Some(BTreeMap::from([
        ("app.kubernetes.io/name".to_owned(), service.app_id().to_owned()),
        ("app.kubernetes.io/component".to_owned(), "autoscaler".to_owned()),
    ]));
    metadata
}

/// Whole percents, as autoscalers take them.
fn whole(percent: Percent) -> i32 {
    i32::try_from(percent.0 / 100).unwrap_or(100)
}

fn pods(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
