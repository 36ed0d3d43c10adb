//! Rules about tracing.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
