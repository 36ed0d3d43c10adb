//! Rules about scaling.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
