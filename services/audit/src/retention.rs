//! How long days are kept.

use crate::day::Day;

/// Days from tomorrow on that have a partition in time: what the service can be without looking after them.
pub(crate) const DAYS_AHEAD: i32 = 7;

/// How many days before today are kept, 1 to 3650.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    days: u16,
}

/// Where an event belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Into the record.
    Kept,
    /// Nowhere any more: its day is dropped, or about to be.
    Expired,
    /// Nowhere: no clock that is merely wrong makes an id of that day.
    Future,
}

impl Retention {
    /// Keeps so many days before today, 1 to 3650.
    #[must_use]
    pub const fn days(days: u16) -> Self {
        Self { days }
    }

    /// The oldest day that is kept.
    #[must_use]
    pub fn oldest(self, today: Day) -> Day {
        today.plus(-i32::from(self.days))
    }

    pub(crate) fn place(self, day: Day, today: Day) -> Place {
        if day < self.oldest(today) {
            Place::Expired
        } else if day > today.plus(DAYS_AHEAD) {
            Place::Future
        } else {
            Place::Kept
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::*;

    #[test]
    fn a_day_is_kept_from_a_week_ahead_to_the_end_of_the_retention() {
        let today = Day(Date::constant(2026, 11, 24));
        let place = |days: i32| Retention::days(90).place(today.plus(days), today);
        for (days, expected) in [
            (8, Place::Future),
            (7, Place::Kept),
            (0, Place::Kept),
            (-90, Place::Kept),
            (-91, Place::Expired),
        ] {
            assert_eq!(place(days), expected, "{days}");
        }
    }
}
