//! Rules about the platform: versions and what they have.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
