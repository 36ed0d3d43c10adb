//! The rule of a series: the subset of an RFC 5545 RRULE that tasks use.

use std::fmt;

use jiff::civil::{DateTime, Weekday};

/// The longest text that is read as a rule, in bytes.
pub const MAX_RULE_BYTES: usize = 1_000;

/// The most occurrences that COUNT can ask for: 27 years of days.
pub const MAX_COUNT: u32 = 10_000;

/// The unit in which a rule counts (FREQ).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Days.
    Daily,
    /// Weeks, which begin on WKST.
    Weekly,
    /// Calendar months.
    Monthly,
    /// Calendar years.
    Yearly,
}

impl Frequency {
    /// As FREQ writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        }
    }
}

/// How a rule ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It does not.
    Never,
    /// After so many occurrences, 1 to [`MAX_COUNT`] (COUNT).
    Count(u32),
    /// With the last occurrence at or before this local date and time (UNTIL).
    Until(DateTime),
}

/// One item of BYDAY: a weekday, every one of its period or the n-th only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// 0: every one; 1: the first; -1: the last.
    pub(super) number: i8,
    pub(super) weekday: Weekday,
}

/// A checked rule. Its text form is [`Display`](fmt::Display), which [`Rule::parse`] reads back to an equal rule.
///
/// Each list is sorted and without repetition; an empty one means that the part was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) frequency: Frequency,
    /// Every so many days, weeks, months or years: 1 to 1,000.
    pub(super) interval: u16,
    pub(super) by_month: Vec<i8>,
    pub(super) by_month_day: Vec<i8>,
    pub(super) by_day: Vec<Day>,
    pub(super) by_set_pos: Vec<i16>,
    pub(super) week_start: Weekday,
    pub(super) end: End,
}

impl Rule {
    /// The unit in which the rule counts.
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// How the rule ends.
    pub fn end(&self) -> End {
        self.end
    }
}

impl fmt::Display for Rule {
    /// RRULE text without the property name, in one fixed order, without parts that say nothing.
    ///
    /// UNTIL is written in the local time of the series.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.frequency.as_str())?;
        if self.interval != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        list(f, "BYMONTH", &self.by_month)?;
        list(f, "BYMONTHDAY", &self.by_month_day)?;
        list(f, "BYDAY", &self.by_day)?;
        list(f, "BYSETPOS", &self.by_set_pos)?;
        if self.week_start != Weekday::Monday {
            write!(f, ";WKST={}", weekday_code(self.week_start))?;
        }
        match self.end {
            End::Never => Ok(()),
            End::Count(count) => write!(f, ";COUNT={count}"),
            End::Until(until) => write!(f, ";UNTIL={}", until.strftime("%Y%m%dT%H%M%S")),
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number != 0 {
            write!(f, "{}", self.number)?;
        }
        f.write_str(weekday_code(self.weekday))
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, values: &[T]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index == 0 {
            write!(f, ";{name}={value}")?;
        } else {
            write!(f, ",{value}")?;
        }
    }
    Ok(())
}

fn weekday_code(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "MO",
        Weekday::Tuesday => "TU",
        Weekday::Wednesday => "WE",
        Weekday::Thursday => "TH",
        Weekday::Friday => "FR",
        Weekday::Saturday => "SA",
        Weekday::Sunday => "SU",
    }
}
