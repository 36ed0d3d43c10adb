//! A second reading of RFC 5545: whether a rule names a day, asked of one day at a time. Slow, short, and independent.

use std::fmt;

use domain::recurrence::MonthEnd;
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "MO"),
    (Weekday::Tuesday, "TU"),
    (Weekday::Wednesday, "WE"),
    (Weekday::Thursday, "TH"),
    (Weekday::Friday, "FR"),
    (Weekday::Saturday, "SA"),
    (Weekday::Sunday, "SU"),
];

/// Long before any anchor.
const MONDAY: Date = Date::constant(1900, 1, 1);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Every {
    Day,
    Week,
    Month,
    Year,
}

/// A rule, as numbers. `Display` is its RRULE text.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) every: Every,
    pub(crate) interval: i32,
    pub(crate) months: Vec<i8>,
    pub(crate) month_days: Vec<i8>,
    /// Number (0: every one) and index into `WEEKDAYS`.
    pub(crate) weekdays: Vec<(i8, usize)>,
    pub(crate) positions: Vec<i16>,
    pub(crate) week_start: i8,
    pub(crate) month_end: MonthEnd,
}

impl Pattern {
    /// Whether the rule, counted from `anchor`, names `date`.
    pub(crate) fn names(&self, anchor: Date, date: Date) -> bool {
        let periods = self.index(date) - self.index(anchor);
        date >= anchor && periods % self.interval == 0 && self.fits(anchor, date) && self.is_chosen(anchor, date)
    }

    /// How many periods lie between some fixed day and this one.
    fn index(&self, date: Date) -> i32 {
        let (year, month) = (i32::from(date.year()), i32::from(date.month()));
        match self.every {
            Every::Day => days_since(MONDAY, date),
            Every::Week => days_since(MONDAY.saturating_add(self.week_start.days()), date).div_euclid(7),
            Every::Month => year * 12 + month,
            Every::Year => year,
        }
    }

    /// Whether the day fits all parts but INTERVAL and BYSETPOS.
    fn fits(&self, anchor: Date, date: Date) -> bool {
        let no_days = self.month_days.is_empty() && self.weekdays.is_empty();
        let months = match self.every {
            Every::Year if no_days && self.months.is_empty() => vec![anchor.month()],
            _ => self.months.clone(),
        };
        let fits_month = months.is_empty() || months.contains(&date.month());
        match self.every {
            Every::Week if no_days => fits_month && date.weekday() == anchor.weekday(),
            Every::Month | Every::Year if no_days => fits_month && self.is_month_day(&[anchor.day()], date),
            _ => fits_month && self.is_month_day(&self.month_days, date) && self.is_weekday(date),
        }
    }

    fn is_month_day(&self, named: &[i8], date: Date) -> bool {
        let length = date.days_in_month();
        let choice = matches!(self.every, Every::Month | Every::Year);
        let choice = choice && self.weekdays.is_empty() && self.positions.is_empty();
        let day = |named: i8| match (named, self.month_end) {
            (..0, _) => length + 1 + named,
            (29.., MonthEnd::Clamp) if choice => named.min(length),
            (29.., MonthEnd::Last) if choice => length,
            _ => named,
        };
        named.is_empty() || named.iter().any(|named| day(*named) == date.day())
    }

    fn is_weekday(&self, date: Date) -> bool {
        let within_month = self.every == Every::Month || !self.months.is_empty();
        let (day, length) = if within_month {
            (i16::from(date.day()), i16::from(date.days_in_month()))
        } else {
            (date.day_of_year(), date.days_in_year())
        };
        let (from_start, from_end) = ((day - 1) / 7 + 1, -((length - day) / 7 + 1));
        let is = |(number, weekday): &(i8, usize)| {
            let number = i16::from(*number);
            WEEKDAYS[*weekday].0 == date.weekday() && (number == 0 || number == from_start || number == from_end)
        };
        self.weekdays.is_empty() || self.weekdays.iter().any(is)
    }

    fn is_chosen(&self, anchor: Date, date: Date) -> bool {
        if self.positions.is_empty() {
            return true;
        }
        let fits = |other: &Date| self.index(*other) == self.index(date) && self.fits(anchor, *other);
        let count = |step: i32| {
            date.series(step.days())
                .take(366)
                .filter(fits)
                .map(|_| 1_i16)
                .sum::<i16>()
        };
        let (from_start, from_end) = (count(-1), -count(1));
        self.positions.contains(&from_start) || self.positions.contains(&from_end)
    }
}

fn days_since(start: Date, date: Date) -> i32 {
    let span = start.until(date).expect("both are in the calendar");
    span.get_days()
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let every = match self.every {
            Every::Day => "DAILY",
            Every::Week => "WEEKLY",
            Every::Month => "MONTHLY",
            Every::Year => "YEARLY",
        };
        let week_start = usize::try_from(self.week_start).expect("a weekday");
        let week_start = WEEKDAYS[week_start].1;
        write!(f, "FREQ={every};INTERVAL={};WKST={week_start}", self.interval)?;
        let weekday = |(number, weekday): &(i8, usize)| match number {
            0 => WEEKDAYS[*weekday].1.to_owned(),
            number => format!("{number}{}", WEEKDAYS[*weekday].1),
        };
        part(f, "BYMONTH", self.months.iter().map(i8::to_string))?;
        part(f, "BYMONTHDAY", self.month_days.iter().map(i8::to_string))?;
        part(f, "BYDAY", self.weekdays.iter().map(weekday))?;
        part(f, "BYSETPOS", self.positions.iter().map(i16::to_string))
    }
}

fn part(f: &mut fmt::Formatter<'_>, name: &str, items: impl Iterator<Item = String>) -> fmt::Result {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return Ok(());
    }
    write!(f, ";{name}={}", items.join(","))
}

/// Any rule that RFC 5545 allows and tasks can have; many of them name a day only now and then, some never.
pub(crate) fn any_pattern() -> impl Strategy<Value = Pattern> {
    let every = select(vec![Every::Day, Every::Week, Every::Month, Every::Year]);
    every.prop_flat_map(|every| {
        let numbers = match every {
            Every::Day | Every::Week => vec![0],
            Every::Month | Every::Year => vec![0, 0, 0, 1, 2, 4, 5, -1, -2, -4],
        };
        let month_days = match every {
            Every::Week => vec![],
            _ => vec![1, 2, 13, 15, 28, 29, 30, 31, -1, -2, -30, -31],
        };
        let positions = match every {
            Every::Day => vec![1, -1],
            _ => vec![1, 2, 3, -1, -2],
        };
        let month_day_count = 0..=month_days.len().min(3);
        let weekdays = prop::collection::vec((select(numbers), 0..7_usize), 1..4);
        (
            prop_oneof![4 => 1..=3_i32, 1 => 1..=40_i32],
            prop_oneof![2 => Just(vec![]), 1 => subsequence((1..=12).collect::<Vec<i8>>(), 1..=3)],
            prop_oneof![1 => Just(vec![]), 1 => subsequence(month_days, month_day_count)],
            prop_oneof![1 => Just(vec![]), 1 => weekdays],
            prop_oneof![2 => Just(vec![]), 1 => subsequence(positions, 1..=2)],
            0..7_i8,
            select(vec![MonthEnd::Clamp, MonthEnd::Last, MonthEnd::Skip]),
        )
            .prop_map(
                move |(interval, months, month_days, weekdays, positions, week_start, month_end)| {
                    let may_choose = !(months.is_empty() && month_days.is_empty() && weekdays.is_empty());
                    Pattern {
                        every,
                        interval,
                        months,
                        month_days,
                        weekdays,
                        positions: if may_choose { positions } else { vec![] },
                        week_start,
                        month_end,
                    }
                },
            )
    })
}
