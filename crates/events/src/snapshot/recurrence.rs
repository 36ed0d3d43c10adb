//! The recurrence of a snapshot, and its place in the series.

use domain::{
    id::SeriesId,
    recurrence::{self as twin, MAX_EXCEPTIONS, OccurrenceKey, Terms, next::Occurrence, rule},
    task::SeriesMembership,
    time::Zone,
};
use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{POINTER, twins};
use crate::{
    parse_error::Misfit,
    scalar::{Local, Ordinal},
};

/// How a series goes on. All times are on the wall clock of the series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recurrence {
    /// An RRULE of RFC 5545 without the property name. UNTIL is on the wall clock of the series.
    #[schemars(length(min = 1, max = rule::MAX_RULE_BYTES))]
    pub rule: String,
    /// From when the rule counts, in whole seconds; every occurrence has this time of day.
    #[schemars(with = "Local")]
    pub anchor: DateTime,
    /// What becomes of a day that a month does not have.
    pub month_end: MonthEnd,
    /// From what the next occurrence is counted.
    pub basis: Basis,
    /// What becomes of occurrences that went by before the completion.
    pub catch_up: CatchUp,
    /// Occurrences that are taken out of the series, sorted, each once.
    #[schemars(with = "Vec<Local>", length(max = MAX_EXCEPTIONS))]
    pub exceptions: Vec<DateTime>,
}

/// The place of a task in its series. No two tasks have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The series.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub id: Uuid,
    /// The wall time that the rule meant for this instance; it stays when the instance is moved.
    #[schemars(with = "Local")]
    pub occurrence: DateTime,
    /// How much of COUNT is used up with this instance: 1 for the first.
    #[schemars(with = "Ordinal")]
    pub ordinal: u32,
}

/// What becomes of a day that a month does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonthEnd {
    /// The last day of the month stands in.
    Clamp,
    /// The day means the last one of every month.
    Last,
    /// That month has no occurrence.
    Skip,
}

/// From what the next occurrence is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// From the anchor.
    FixedSchedule,
    /// From the completion.
    AfterCompletion,
}

/// What becomes of occurrences that went by before the completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// One makes up for all of them.
    One,
    /// Each is made up for.
    All,
    /// They are dropped.
    None,
}

twins!(MonthEnd, twin::MonthEnd: Clamp, Last, Skip);
twins!(Basis, twin::Basis: FixedSchedule, AfterCompletion);
twins!(CatchUp, twin::CatchUp: One, All, None);

impl From<&twin::Recurrence> for Recurrence {
    fn from(recurrence: &twin::Recurrence) -> Self {
        let terms = recurrence.terms();
        Self {
            rule: terms.rule.to_string(),
            anchor: terms.anchor,
            month_end: terms.month_end.into(),
            basis: terms.basis.into(),
            catch_up: terms.catch_up.into(),
            exceptions: terms.exceptions.iter().map(|key| key.get()).collect(),
        }
    }
}

impl Recurrence {
    pub(super) fn to_domain(&self) -> Result<twin::Recurrence, Misfit> {
        // The text has UNTIL on the wall clock of the series, so its digits stay as they are.
        let rule = rule::Rule::parse(&self.rule, &Zone::UTC)
            .map_err(|error| Misfit::new(format!("{POINTER}/recurrence/rule"), error))?;
        twin::Recurrence::new(Terms {
            rule,
            anchor: self.anchor,
            month_end: self.month_end.into(),
            basis: self.basis.into(),
            catch_up: self.catch_up.into(),
            exceptions: self.exceptions.iter().copied().map(OccurrenceKey::new).collect(),
        })
        .map_err(|error| Misfit::new(format!("{POINTER}/recurrence"), error))
    }
}

impl From<SeriesMembership> for Series {
    fn from(membership: SeriesMembership) -> Self {
        Self {
            id: membership.series.get(),
            occurrence: membership.occurrence.key.get(),
            ordinal: membership.occurrence.ordinal,
        }
    }
}

impl Series {
    pub(super) fn to_domain(self) -> Result<SeriesMembership, Misfit> {
        let series = SeriesId::new(self.id).map_err(|error| Misfit::new(format!("{POINTER}/series/id"), error))?;
        let key = OccurrenceKey::new(self.occurrence);
        let ordinal = self.ordinal;
        let occurrence = Occurrence { key, ordinal };
        Ok(SeriesMembership { series, occurrence })
    }
}
