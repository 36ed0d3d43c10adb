//! Reading RRULE text.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

use crate::recurrence::error::RecurrenceError;
use crate::recurrence::rule::{Day, End, Frequency, MAX_COUNT, MAX_RULE_BYTES, Rule};
use crate::time::Zone;

const INTERVALS: RangeInclusive<u16> = 1..=1_000;

/// Parts of RFC 5545 and RFC 7529 that are refused by name.
const UNSUPPORTED: &[&str] = &[
    "BYSECOND",
    "BYMINUTE",
    "BYHOUR",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYEASTER",
    "RSCALE",
    "SKIP",
];

impl Rule {
    /// Reads the text of one rule, with or without `RRULE:` before it.
    ///
    /// UNTIL may be a date (that whole day counts), a local date and time, or one in UTC, which is converted to the
    /// local time of the series: `zone` is its zone; for a floating series give UTC, and the digits stay as they are.
    ///
    /// # Errors
    ///
    /// When the text is not a rule, and when the rule is none that a task can have.
    pub fn parse(text: &str, zone: &Zone) -> Result<Self, RecurrenceError> {
        if text.len() > MAX_RULE_BYTES {
            return Err(RecurrenceError::TooLong(text.len()));
        }
        let mut parts = Parts::default();
        for part in sole_rule(text)?.split(';').map(str::trim) {
            if !part.is_empty() {
                parts.take(part, zone)?;
            }
        }
        parts.into_rule()
    }
}

/// The text after `RRULE:` of the only rule in `text`.
fn sole_rule(text: &str) -> Result<&str, RecurrenceError> {
    let mut sole = None;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let rule = match line.split_once(':') {
            None => line,
            Some((name, rule)) => match name.to_ascii_uppercase().as_str() {
                "RRULE" => rule,
                "EXRULE" => return Err(RecurrenceError::ExclusionRule),
                _ => return Err(RecurrenceError::UnexpectedProperty(name.to_owned())),
            },
        };
        if sole.replace(rule).is_some() {
            return Err(RecurrenceError::SeveralRules);
        }
    }
    sole.ok_or(RecurrenceError::Empty)
}

/// The parts of a rule as they are met.
#[derive(Default)]
struct Parts {
    frequency: Option<Frequency>,
    interval: Option<u16>,
    by_month: Option<Vec<i8>>,
    by_month_day: Option<Vec<i8>>,
    by_day: Option<Vec<Day>>,
    by_set_pos: Option<Vec<i16>>,
    week_start: Option<Weekday>,
    count: Option<u32>,
    until: Option<DateTime>,
}

impl Parts {
    fn take(&mut self, part: &str, zone: &Zone) -> Result<(), RecurrenceError> {
        let malformed = || RecurrenceError::Malformed(part.to_owned());
        let (name, value) = part.split_once('=').ok_or_else(malformed)?;
        let value = value.trim();
        match name.trim().to_ascii_uppercase().as_str() {
            "FREQ" => once(&mut self.frequency, "FREQ", frequency(value)?),
            "INTERVAL" => once(&mut self.interval, "INTERVAL", interval(value)?),
            "BYMONTH" => once(&mut self.by_month, "BYMONTH", months(value)?),
            "BYMONTHDAY" => once(&mut self.by_month_day, "BYMONTHDAY", month_days(value)?),
            "BYDAY" => once(&mut self.by_day, "BYDAY", days(value)?),
            "BYSETPOS" => once(&mut self.by_set_pos, "BYSETPOS", positions(value)?),
            "WKST" => once(&mut self.week_start, "WKST", week_start(value)?),
            "COUNT" => once(&mut self.count, "COUNT", count(value)?),
            "UNTIL" => once(&mut self.until, "UNTIL", until(value, zone)?),
            name => match UNSUPPORTED.iter().find(|unsupported| **unsupported == name) {
                Some(unsupported) => Err(RecurrenceError::UnsupportedPart(unsupported)),
                None => Err(RecurrenceError::UnknownPart(name.to_owned())),
            },
        }
    }

    fn into_rule(self) -> Result<Rule, RecurrenceError> {
        let frequency = self.frequency.ok_or(RecurrenceError::MissingFrequency)?;
        let rule = Rule {
            frequency,
            interval: self.interval.unwrap_or(1),
            by_month: self.by_month.unwrap_or_default(),
            by_month_day: self.by_month_day.unwrap_or_default(),
            by_day: self.by_day.unwrap_or_default(),
            by_set_pos: self.by_set_pos.unwrap_or_default(),
            week_start: self.week_start.unwrap_or(Weekday::Monday),
            end: match (self.count, self.until) {
                (None, None) => End::Never,
                (Some(count), None) => End::Count(count),
                (None, Some(until)) => End::Until(until),
                (Some(_), Some(_)) => return Err(RecurrenceError::CountAndUntil),
            },
        };
        parts_fit(&rule)?;
        Ok(rule)
    }
}

/// What RFC 5545, section 3.3.10 says about parts beside each other.
fn parts_fit(rule: &Rule) -> Result<(), RecurrenceError> {
    let not_with_frequency = |part| {
        Err(RecurrenceError::NotWithFrequency {
            part,
            frequency: rule.frequency.as_str(),
        })
    };
    if rule.frequency == Frequency::Weekly && !rule.by_month_day.is_empty() {
        return not_with_frequency("BYMONTHDAY");
    }
    let numbers = match (rule.frequency, rule.by_month.is_empty()) {
        (Frequency::Daily | Frequency::Weekly, _) => 0..=0,
        (Frequency::Monthly, _) | (Frequency::Yearly, false) => -4..=5,
        (Frequency::Yearly, true) => -52..=53,
    };
    if let Some(day) = rule.by_day.iter().find(|day| !numbers.contains(&day.number)) {
        if numbers == (0..=0) {
            return not_with_frequency("a numbered weekday in BYDAY");
        }
        let expected = "numbered from -4 to 5 within a month, from -52 to 53 within a year";
        return invalid("BYDAY", expected, &day.to_string());
    }
    positions_fit(rule)
}

fn positions_fit(rule: &Rule) -> Result<(), RecurrenceError> {
    let nothing_to_choose = rule.by_day.is_empty() && rule.by_month_day.is_empty() && rule.by_month.is_empty();
    if !rule.by_set_pos.is_empty() && nothing_to_choose {
        return Err(RecurrenceError::PositionsAlone);
    }
    let longest = match rule.frequency {
        Frequency::Daily => 1,
        Frequency::Weekly => 7,
        Frequency::Monthly => 31,
        Frequency::Yearly => 366,
    };
    match rule.by_set_pos.iter().find(|position| position.abs() > longest) {
        Some(position) => invalid("BYSETPOS", "within the days of one period", &position.to_string()),
        None => Ok(()),
    }
}

fn once<T>(slot: &mut Option<T>, part: &'static str, value: T) -> Result<(), RecurrenceError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(RecurrenceError::RepeatedPart(part)),
    }
}

fn invalid<T>(part: &'static str, expected: &'static str, value: &str) -> Result<T, RecurrenceError> {
    Err(RecurrenceError::Value {
        part,
        expected,
        value: value.to_owned(),
    })
}

fn frequency(value: &str) -> Result<Frequency, RecurrenceError> {
    match value.to_ascii_uppercase().as_str() {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        "HOURLY" => Err(RecurrenceError::TooFrequent("HOURLY")),
        "MINUTELY" => Err(RecurrenceError::TooFrequent("MINUTELY")),
        "SECONDLY" => Err(RecurrenceError::TooFrequent("SECONDLY")),
        _ => invalid("FREQ", "DAILY, WEEKLY, MONTHLY or YEARLY", value),
    }
}

fn interval(value: &str) -> Result<u16, RecurrenceError> {
    let interval = value.parse().ok().filter(|interval| INTERVALS.contains(interval));
    interval.ok_or_else(|| RecurrenceError::Interval(value.to_owned()))
}

fn count(value: &str) -> Result<u32, RecurrenceError> {
    match value.parse() {
        Ok(count) if (1..=MAX_COUNT).contains(&count) => Ok(count),
        _ => invalid("COUNT", "a whole number from 1 to 10000", value),
    }
}

fn months(value: &str) -> Result<Vec<i8>, RecurrenceError> {
    let expected = "a list of months from 1 to 12";
    numbers("BYMONTH", expected, value, |month| (1..=12).contains(month))
}

fn month_days(value: &str) -> Result<Vec<i8>, RecurrenceError> {
    let expected = "a list of days from 1 to 31, or from -1, the last, to -31";
    numbers("BYMONTHDAY", expected, value, |day| {
        *day != 0 && (-31..=31).contains(day)
    })
}

fn positions(value: &str) -> Result<Vec<i16>, RecurrenceError> {
    let expected = "a list of positions from 1 to 366, or from -1, the last, to -366";
    numbers("BYSETPOS", expected, value, |position| {
        *position != 0 && (-366..=366).contains(position)
    })
}

/// A comma-separated list, sorted, each number once.
fn numbers<T: FromStr + Ord>(
    part: &'static str,
    expected: &'static str,
    value: &str,
    allowed: impl Fn(&T) -> bool,
) -> Result<Vec<T>, RecurrenceError> {
    let mut numbers = BTreeSet::new();
    for item in value.split(',') {
        match item.parse().ok().filter(&allowed) {
            Some(number) => numbers.insert(number),
            None => return invalid(part, expected, item),
        };
    }
    Ok(numbers.into_iter().collect())
}

fn days(value: &str) -> Result<Vec<Day>, RecurrenceError> {
    let mut days = Vec::new();
    for item in value.split(',') {
        match day(item) {
            Some(day) if days.contains(&day) => {}
            Some(day) => days.push(day),
            None => return invalid("BYDAY", "a list of weekdays like MO, 1MO or -1FR", item),
        }
    }
    days.sort_by_key(|day| (day.number, day.weekday.to_monday_zero_offset()));
    Ok(days)
}

fn day(item: &str) -> Option<Day> {
    let (number, name) = item.split_at_checked(item.len().checked_sub(2)?)?;
    let number = match number {
        "" => 0,
        number => number.parse().ok().filter(|number| *number != 0)?,
    };
    Some(Day {
        number,
        weekday: weekday(name)?,
    })
}

fn week_start(value: &str) -> Result<Weekday, RecurrenceError> {
    weekday(value).map_or_else(|| invalid("WKST", "a weekday like MO", value), Ok)
}

fn weekday(name: &str) -> Option<Weekday> {
    match name.to_ascii_uppercase().as_str() {
        "MO" => Some(Weekday::Monday),
        "TU" => Some(Weekday::Tuesday),
        "WE" => Some(Weekday::Wednesday),
        "TH" => Some(Weekday::Thursday),
        "FR" => Some(Weekday::Friday),
        "SA" => Some(Weekday::Saturday),
        "SU" => Some(Weekday::Sunday),
        _ => None,
    }
}

fn until(value: &str, zone: &Zone) -> Result<DateTime, RecurrenceError> {
    let expected = "a date like 20261231, or a time like 20261231T235959 or 20261231T235959Z";
    let read = match value.split_once(['T', 't']) {
        None => calendar_date(value).map(|date| date.at(23, 59, 59, 0)),
        Some((date, time)) => match time.strip_suffix(['Z', 'z']) {
            None => local(date, time),
            Some(time) => local(date, time).map(|utc| in_zone(utc, zone)),
        },
    };
    read.map_or_else(|| invalid("UNTIL", expected, value), Ok)
}

/// The local time of an instant. A time too late for an instant stays as it is: it is beyond any occurrence.
fn in_zone(utc: DateTime, zone: &Zone) -> DateTime {
    let instant = TimeZone::UTC.to_timestamp(utc);
    instant.map_or(utc, |instant| zone.local(instant))
}

fn local(date: &str, time: &str) -> Option<DateTime> {
    let [hour, minute, second] = [time.get(0..2)?, time.get(2..4)?, time.get(4..)?];
    let time = Time::new(digits(hour)?, digits(minute)?, digits(second)?, 0).ok()?;
    Some(calendar_date(date)?.to_datetime(time))
}

fn calendar_date(text: &str) -> Option<Date> {
    let [year, month, day] = [text.get(0..4)?, text.get(4..6)?, text.get(6..)?];
    Date::new(digits(year)?, digits(month)?, digits(day)?).ok()
}

/// A number of two or four digits, without a sign.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    let are_digits = matches!(text.len(), 2 | 4) && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| text.parse().ok()).flatten()
}
