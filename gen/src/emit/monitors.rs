//! What Prometheus scrapes.

use super::Inputs;
use crate::artefact::Artefacts;

pub(super) fn emit(_inputs: Inputs<'_>, _artefacts: &mut Artefacts) {}
