//! Rules about rolling out and shutting down.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
