//! Recurrence: which dates a rule names, and which of them comes next.
//!
//! Everything here happens on the wall clock of the series, without a zone: the crate `rrule` expands rules in floating
//! time, because with a zone it drops whole days where clocks change at midnight. A zone enters only in
//! [`preview`](Recurrence::preview), where `jiff` finds the instant of a wall time.

pub mod error;
mod expand;
pub mod next;
mod parse;
pub mod preview;
pub mod rule;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::DateTime;

use crate::recurrence::error::RecurrenceError;
use crate::recurrence::rule::{End, Rule};

/// The years in which a series may begin.
pub const ANCHOR_YEARS: RangeInclusive<i16> = 1900..=9998;

/// The most dates that can be taken out of one series.
pub const MAX_EXCEPTIONS: usize = 1_000;

/// A rule that names no date in so many years from its anchor is refused.
const BARREN_YEARS: i16 = 28;

/// Which occurrence of its series a task is: the intended local date and time, before any shift or edit.
///
/// A series and a key together name at most one task. The key never changes: not when the clocks change, not when the
/// task is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OccurrenceKey(DateTime);

impl OccurrenceKey {
    /// The key of the occurrence intended for this local date and time.
    pub fn new(intended: DateTime) -> Self {
        Self(intended)
    }

    /// The intended local date and time.
    pub fn get(self) -> DateTime {
        self.0
    }
}

impl fmt::Display for OccurrenceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for OccurrenceKey {
    type Err = RecurrenceError;

    /// Reads what `Display` writes: `2026-01-31T09:00:00`.
    fn from_str(text: &str) -> Result<Self, RecurrenceError> {
        let parsed = text.parse();
        parsed.map(Self).map_err(|_| RecurrenceError::Key(text.to_owned()))
    }
}

/// What a monthly or yearly rule does with a day of the month that the month does not have.
///
/// It is asked only of the days 29, 30 and 31, and only where the rule has neither BYDAY nor BYSETPOS; otherwise the
/// rule itself says all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MonthEnd {
    /// The last day of a shorter month stands in: Jan 31, Feb 28, Mar 31. As `BYMONTHDAY=28,29,30,31;BYSETPOS=-1`.
    #[default]
    Clamp,
    /// The day means the last one of the month, whatever its number. As `BYMONTHDAY=-1`.
    Last,
    /// A shorter month has no occurrence: Jan 31, Mar 31, May 31. This is RFC 5545 to the letter.
    Skip,
}

/// From what the next occurrence is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Basis {
    /// The rule counted from the anchor, whenever anything was completed.
    #[default]
    FixedSchedule,
    /// The rule counted anew from the local date of the completion, at the wall time of the anchor.
    AfterCompletion,
}

/// What becomes of dates that went by before the completion. It is asked of a fixed schedule only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// One occurrence makes up for all that were missed: the latest of them. Without any, the next one.
    #[default]
    One,
    /// Each missed occurrence is made up for, in order: the very next one, even if it is past.
    All,
    /// What was missed is dropped: the next occurrence lies after the completion.
    None,
}

/// Everything that is chosen about a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The rule, in the local time of the series.
    pub rule: Rule,
    /// The local date and time from which the rule counts, in whole seconds. Every occurrence has its wall time.
    pub anchor: DateTime,
    /// The choice for days that a month does not have.
    pub month_end: MonthEnd,
    /// From what the next occurrence is counted.
    pub basis: Basis,
    /// What becomes of missed occurrences.
    pub catch_up: CatchUp,
    /// Occurrences taken out of the series (EXDATE). One that the rule never names has no effect.
    pub exceptions: BTreeSet<OccurrenceKey>,
}

/// A series whose terms are known to name at least one date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence(Terms);

impl Recurrence {
    /// Checks the terms as a whole.
    ///
    /// # Errors
    ///
    /// When the anchor is outside [`ANCHOR_YEARS`] or has fractions of a second, when there are more than
    /// [`MAX_EXCEPTIONS`], and when the rule names no date within 28 years or before its own end.
    pub fn new(terms: Terms) -> Result<Self, RecurrenceError> {
        if !ANCHOR_YEARS.contains(&terms.anchor.year()) {
            return Err(RecurrenceError::AnchorYear(terms.anchor.year()));
        }
        if terms.anchor.subsec_nanosecond() != 0 {
            return Err(RecurrenceError::AnchorFraction(terms.anchor));
        }
        if terms.exceptions.len() > MAX_EXCEPTIONS {
            return Err(RecurrenceError::TooManyExceptions(terms.exceptions.len()));
        }
        let patience = terms.anchor.saturating_add(BARREN_YEARS.years());
        let first = expand::first(&terms).filter(|key| key.get() <= patience);
        match (first, terms.rule.end) {
            (None, _) => Err(RecurrenceError::NoInstance),
            (Some(first), End::Until(until)) if until < first.get() => Err(RecurrenceError::EndsBeforeFirst(until)),
            (Some(_), _) => Ok(Self(terms)),
        }
    }

    /// The terms as they were given.
    pub fn terms(&self) -> &Terms {
        &self.0
    }

    /// The terms, to change some and check them again.
    pub fn into_terms(self) -> Terms {
        self.0
    }

    /// The occurrences in `from <= key < to`, in order, each once.
    ///
    /// This is the set of RFC 5545: COUNT is taken from the anchor, exceptions are left out and use up COUNT. The
    /// anchor itself is in the set only if the rule names it. Basis and catch-up play no part.
    pub fn occurrences_between(&self, from: DateTime, to: DateTime) -> impl Iterator<Item = OccurrenceKey> + use<'_> {
        let terms = &self.0;
        let (start, count) = match terms.rule.end {
            End::Count(count) => (terms.anchor, usize::try_from(count).unwrap_or(usize::MAX)),
            End::Never | End::Until(_) => (from, usize::MAX),
        };
        expand::keys(terms, start)
            .take(count)
            .skip_while(move |key| key.get() < from)
            .take_while(move |key| key.get() < to)
            .filter(|key| !terms.exceptions.contains(key))
    }
}
