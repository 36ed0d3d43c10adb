//! Rules about alerts.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
