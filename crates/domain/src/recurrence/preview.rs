//! What a series will look like, with the reason for each shift.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::AmbiguousOffset;

use crate::recurrence::expand::MonthDays;
use crate::recurrence::next::{Next, Occurrence, anchored_on};
use crate::recurrence::{Basis, OccurrenceKey, Recurrence, Terms};
use crate::time::Zone;

/// One occurrence as it will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// The intended local date and time.
    pub key: OccurrenceKey,
    /// What the clock of the zone shows then: later than intended if the clock skips that time.
    pub local: DateTime,
    /// The instant.
    pub instant: Timestamp,
    /// Why date or time are not those that the rule names; most often empty.
    pub shifts: Vec<Shift>,
}

/// Why an occurrence is not simply at the date and time that the rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// The month has no such day: its last one stands in.
    MonthEnd {
        /// The day that the rule names.
        named: i8,
    },
    /// The clock skips that time: it is as much later as the clock is put forward.
    Gap,
    /// The clock shows that time twice: the first is taken.
    Overlap,
}

impl Shift {
    /// A name for programs, which never changes.
    pub fn code(self) -> &'static str {
        match self {
            Self::MonthEnd { .. } => "month_end",
            Self::Gap => "gap",
            Self::Overlap => "overlap",
        }
    }
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MonthEnd { named } => write!(f, "the month has no day {named}, so its last day is taken"),
            Self::Gap => f.write_str("the clocks go forward and skip this time, so it is later"),
            Self::Overlap => f.write_str("the clocks go back and show this time twice, so the first is taken"),
        }
    }
}

impl Recurrence {
    /// The first `count` occurrences from `from` on, as they will be in `zone`.
    ///
    /// After completion, as if each were completed on its day, and COUNT counted from the first of them.
    pub fn preview(&self, zone: &Zone, from: DateTime, count: usize) -> Vec<Upcoming> {
        let terms = self.terms();
        let mut keys = self.occurrences_between(from, DateTime::MAX);
        match terms.basis {
            Basis::FixedSchedule => keys.take(count).map(|key| upcoming(terms, key, zone)).collect(),
            Basis::AfterCompletion => match keys.next().filter(|_| count > 0) {
                None => Vec::new(),
                Some(first) => self.completed_on_their_days(first, zone, count),
            },
        }
    }

    fn completed_on_their_days(&self, first: OccurrenceKey, zone: &Zone, count: usize) -> Vec<Upcoming> {
        let mut all = vec![upcoming(self.terms(), first, zone)];
        let mut current = Occurrence { key: first, ordinal: 1 };
        while all.len() < count
            && let Next::Occurrence(next) = self.next(current, current.key.get())
        {
            let anew = anchored_on(self.terms(), current.key.get().date());
            all.push(upcoming(&anew, next.key, zone));
            current = next;
        }
        all
    }
}

fn upcoming(terms: &Terms, key: OccurrenceKey, zone: &Zone) -> Upcoming {
    let instant = zone.instant(key.get());
    let named = MonthDays::of(terms).stands_for(key.get().date());
    let clock = match zone.time_zone().to_ambiguous_timestamp(key.get()).offset() {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { .. } => Some(Shift::Gap),
        AmbiguousOffset::Fold { .. } => Some(Shift::Overlap),
    };
    Upcoming {
        key,
        local: zone.local(instant),
        instant,
        shifts: named
            .map(|named| Shift::MonthEnd { named })
            .into_iter()
            .chain(clock)
            .collect(),
    }
}
