//! Rules about what fits.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
