//! Rules about Dapr: what it accepts without a word, and then fails at.

use super::Rule;

pub(super) const RULES: &[Rule] = &[];
