//! An environment → its artefacts. One file per family; adding a family is a file and a line here.

mod alerts;
mod apps;
mod base;
mod container;
pub(crate) mod dapr;
mod flux;
mod kafka;
mod monitors;
mod operators;
mod postgres;
mod readme;
mod scaling;
mod secrets;
mod tracing;

pub(crate) use alerts::{CUSTOM as CUSTOM_ALERTS, names as built_in_alerts};
pub use dapr::{SelfHosted, emit_self_hosted};

use crate::artefact::Artefacts;
use crate::resolve::Environment;
use catalogue::Catalogue;

/// The namespace of the GitOps controller.
pub const FLUX_NAMESPACE: &str = "flux-system";

/// What every emitter sees.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The environment.
    pub env: &'a Environment,
    /// The names shared with the services.
    pub catalogue: &'a Catalogue,
}

/// Everything that an environment needs.
pub fn emit(inputs: Inputs<'_>) -> Artefacts {
    std::thread::scope(|scope| {
        // The page comes last; its template is read meanwhile.
        scope.spawn(readme::template);
        let mut artefacts = Artefacts::default();
        for family in FAMILIES {
            family(inputs, &mut artefacts);
        }
        artefacts
    })
}

/// The emitters, in the order of their stages; those that describe the others come last.
const FAMILIES: &[fn(Inputs<'_>, &mut Artefacts)] = &[
    base::emit,
    operators::emit,
    secrets::emit,
    kafka::emit,
    postgres::emit,
    tracing::emit,
    alerts::emit,
    monitors::emit,
    dapr::emit,
    apps::emit,
    scaling::emit,
    flux::emit,
    readme::emit,
];
