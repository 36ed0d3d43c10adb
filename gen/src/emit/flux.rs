//! Flux's entry: one source, one Kustomization per stage.

use super::Inputs;
use crate::artefact::Artefacts;

pub(super) fn emit(_inputs: Inputs<'_>, _artefacts: &mut Artefacts) {}
