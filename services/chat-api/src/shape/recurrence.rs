//! Whether and how a task comes back.

use std::collections::BTreeSet;

use domain::{
    recurrence::{self, OccurrenceKey, Terms, error::RecurrenceError, rule::Rule},
    time::Zone,
};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    choices::{Basis, CatchUp, MonthEnd},
    scalar,
};

/// Whether and how a task comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recurrence {
    /// An RRULE of RFC 5545, without its name: daily, weekly, monthly or yearly.
    #[schema(min_length = 1, max_length = 1000, format = "rrule", example = "FREQ=MONTHLY")]
    pub(crate) rule: String,
    /// What becomes of a day that a month does not have.
    #[serde(default)]
    pub(crate) month_end: MonthEnd,
    /// From what the next occurrence is counted.
    #[serde(default)]
    pub(crate) basis: Basis,
    /// What becomes of dates that went by.
    #[serde(default)]
    pub(crate) catch_up: CatchUp,
    /// Dates taken out (EXDATE), as the rule names them.
    #[serde(default, deserialize_with = "scalar::wall_times")]
    #[schema(value_type = Vec<scalar::WallTime>, max_items = 1000)]
    pub(crate) exceptions: Vec<DateTime>,
    /// The wall time from which the rule counts: that of the due time. In requests it is ignored.
    #[serde(
        default,
        deserialize_with = "scalar::optional_wall_time",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<scalar::WallTime>)]
    pub(crate) anchor: Option<DateTime>,
}

impl Recurrence {
    /// The domain's recurrence, counted from `anchor`. UNTIL with an offset is read in `zone`.
    ///
    /// # Errors
    /// When the rule is none, or names no date.
    pub(crate) fn to_domain(&self, anchor: DateTime, zone: &Zone) -> Result<recurrence::Recurrence, RecurrenceError> {
        let exceptions: BTreeSet<_> = self.exceptions.iter().copied().map(OccurrenceKey::new).collect();
        recurrence::Recurrence::new(Terms {
            rule: Rule::parse(&self.rule, zone)?,
            anchor,
            month_end: self.month_end.into(),
            basis: self.basis.into(),
            catch_up: self.catch_up.into(),
            exceptions,
        })
    }
}

impl From<&recurrence::Recurrence> for Recurrence {
    fn from(recurrence: &recurrence::Recurrence) -> Self {
        let terms = recurrence.terms();
        Self {
            rule: terms.rule.to_string(),
            month_end: terms.month_end.into(),
            basis: terms.basis.into(),
            catch_up: terms.catch_up.into(),
            exceptions: terms.exceptions.iter().map(|key| key.get()).collect(),
            anchor: Some(terms.anchor),
        }
    }
}
