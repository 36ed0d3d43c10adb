//! Kafka: the cluster, its topics and users; or the external form.

use super::Inputs;
use crate::artefact::Artefacts;

pub(super) fn emit(_inputs: Inputs<'_>, _artefacts: &mut Artefacts) {}
