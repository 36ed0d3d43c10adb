//! Expanding a rule on the wall clock, with the crate `rrule` in fake UTC.
//!
//! Three things keep clear of that crate's defects. It never sees a zone, so no day is lost where clocks change at
//! midnight. It never derives anything from its start: what a rule leaves unsaid is filled in here from the anchor, so
//! the expansion can start at any period of the rule; that also counts BYSETPOS in a first week that the anchor cuts.
//! And it never sees UNTIL, COUNT or EXDATE, whose edge cases are decided here. Its own limit, 100,000 periods without
//! a date, lies beyond the last year for all but daily rules, where it is at least 273 years: time is bounded for
//! every rule.

use chrono::{Datelike as _, Month, TimeZone as _, Timelike as _};
use jiff::civil::{Date, DateTime, Weekday};
use jiff::{ToSpan as _, Unit};
use rrule::{NWeekday, RRule, RRuleSet};

use crate::recurrence::rule::{Day, End, Frequency, Rule};
use crate::recurrence::{BARREN_YEARS, MonthEnd, OccurrenceKey, Terms};

/// The last year with occurrences: one before the last of the calendar, so that every wall time has an instant.
const LAST_YEAR: i16 = 9_998;

/// The keys that the rule names from `start` on and not before the anchor, up to UNTIL; without regard to COUNT and
/// exceptions.
pub(super) fn keys(terms: &Terms, start: DateTime) -> impl Iterator<Item = OccurrenceKey> + use<> {
    let start = start.max(terms.anchor);
    let until = match terms.rule.end {
        End::Until(until) => until,
        End::Never | End::Count(_) => DateTime::MAX,
    };
    let month_days = MonthDays::of(terms);
    let set = (start <= until).then(|| rule_set(terms, &month_days, start));
    set.into_iter()
        .flat_map(|set| (&set).into_iter())
        .map_while(civil)
        .filter(move |key| month_days.keep(key.date()))
        .skip_while(move |key| *key < start)
        .take_while(move |key| *key <= until)
        .map(OccurrenceKey)
}

/// The first of [`keys`] without regard to UNTIL, if it comes within decades.
///
/// `rrule` looks for it until the year 10,000. The calendar repeats itself every 400 years, weekdays included: a search
/// that starts as late as possible ends soon, also for a rule that names no date at all.
pub(super) fn first(terms: &Terms) -> Option<OccurrenceKey> {
    let cycles = (LAST_YEAR - BARREN_YEARS - terms.anchor.year()).max(0) / 400;
    let shift = (cycles * 400).years();
    let mut late = Terms {
        anchor: terms.anchor.saturating_add(shift),
        ..terms.clone()
    };
    late.rule.end = End::Never;
    let key = keys(&late, late.anchor).next()?;
    Some(OccurrenceKey(key.get().saturating_sub(shift)))
}

/// The rule as `rrule` is to see it, from the period of `start` on.
fn rule_set(terms: &Terms, month_days: &MonthDays, start: DateTime) -> RRuleSet {
    let rule = &terms.rule;
    let from = fake_utc(first_period(rule, terms.anchor.date(), start.date()).to_datetime(terms.anchor.time()));
    let expanded = RRule::new(frequency(rule.frequency))
        .interval(rule.interval)
        .week_start(weekday(rule.week_start))
        .by_month(&months(terms))
        .by_month_day(month_days.asked.clone())
        .by_weekday(weekdays(terms))
        .by_set_pos(rule.by_set_pos.iter().copied().map(i32::from).collect())
        .validate(from)
        .expect("Rule::parse allows less than rrule does");
    RRuleSet::new(from).rrule(expanded).limit()
}

/// The beginning of the rule's last period that begins at or before `date`, which is not before the anchor.
fn first_period(rule: &Rule, anchor: Date, date: Date) -> Date {
    let (origin, unit) = match rule.frequency {
        Frequency::Daily => (anchor, Unit::Day),
        Frequency::Weekly => {
            let into_week = rule.week_start.until(anchor.weekday());
            (anchor.saturating_sub(into_week.days()), Unit::Week)
        }
        Frequency::Monthly => (anchor.first_of_month(), Unit::Month),
        Frequency::Yearly => (anchor.first_of_year(), Unit::Year),
    };
    let passed = origin
        .until((unit, date))
        .expect("dates differ by less than a span can hold");
    let count = match unit {
        Unit::Day => passed.get_days(),
        Unit::Week => passed.get_weeks(),
        Unit::Month => passed.get_months(),
        _ => passed.get_years().into(),
    };
    let count = count - count % i32::from(rule.interval);
    origin.saturating_add(match unit {
        Unit::Day => count.days(),
        Unit::Week => count.weeks(),
        Unit::Month => count.months(),
        _ => count.years(),
    })
}

/// The days of the month that a rule names, and what stands in for them.
pub(super) struct MonthDays {
    /// BYMONTHDAY, or the day of the anchor where that is meant.
    named: Vec<i8>,
    /// What `rrule` is asked for: more than is named where a shorter month has a stand-in.
    asked: Vec<i8>,
    clamped: bool,
}

impl MonthDays {
    pub(super) fn of(terms: &Terms) -> Self {
        let rule = &terms.rule;
        let monthly = matches!(rule.frequency, Frequency::Monthly | Frequency::Yearly);
        let named = match (rule.by_month_day.as_slice(), rule.by_day.is_empty() && monthly) {
            ([], true) => vec![terms.anchor.day()],
            (days, _) => days.to_vec(),
        };
        let highest = named.iter().copied().max().unwrap_or_default();
        let chosen = monthly && rule.by_day.is_empty() && rule.by_set_pos.is_empty() && highest > 28;
        let (clamped, asked) = match terms.month_end {
            MonthEnd::Clamp if chosen => (true, named.iter().copied().chain(28..highest).collect()),
            MonthEnd::Last if chosen => {
                let last = |day: i8| if day > 28 { -1 } else { day };
                (false, named.iter().copied().map(last).collect())
            }
            MonthEnd::Clamp | MonthEnd::Last | MonthEnd::Skip => (false, named.clone()),
        };
        Self { named, asked, clamped }
    }

    fn names(&self, date: Date) -> bool {
        let from_the_end = date.day() - date.days_in_month() - 1;
        self.named.contains(&date.day()) || self.named.contains(&from_the_end)
    }

    /// The named day for which this date of the rule stands in, if it does.
    pub(super) fn stands_for(&self, date: Date) -> Option<i8> {
        let highest = self.named.iter().copied().max();
        highest.filter(|_| self.clamped && !self.names(date))
    }

    /// Whether a date that was asked for belongs to the rule.
    fn keep(&self, date: Date) -> bool {
        !self.clamped || self.names(date) || date.day() == date.days_in_month()
    }
}

/// BYMONTH; for a yearly rule that names no day, the month of the anchor.
fn months(terms: &Terms) -> Vec<Month> {
    let rule = &terms.rule;
    let names_days = !(rule.by_day.is_empty() && rule.by_month_day.is_empty());
    let months = match (rule.frequency, rule.by_month.as_slice()) {
        (Frequency::Yearly, []) if !names_days => vec![terms.anchor.month()],
        (_, months) => months.to_vec(),
    };
    let month = |number| {
        u8::try_from(number)
            .ok()
            .and_then(|number| Month::try_from(number).ok())
    };
    months.into_iter().filter_map(month).collect()
}

/// BYDAY; for a weekly rule without it, the weekday of the anchor.
///
/// `rrule` takes only what satisfies both the plain and the numbered weekdays, where RFC 5545 means their union: beside
/// a numbered one, a plain one is therefore numbered through.
fn weekdays(terms: &Terms) -> Vec<NWeekday> {
    let rule = &terms.rule;
    if rule.frequency == Frequency::Weekly && rule.by_day.is_empty() {
        return vec![NWeekday::Every(weekday(terms.anchor.weekday()))];
    }
    let last = if rule.frequency == Frequency::Yearly && rule.by_month.is_empty() {
        53
    } else {
        5
    };
    let any_numbered = rule.by_day.iter().any(|day| day.number != 0);
    let mut weekdays = Vec::new();
    for Day { number, weekday: day } in &rule.by_day {
        match (*number, any_numbered) {
            (0, false) => weekdays.push(NWeekday::Every(weekday(*day))),
            (0, true) => weekdays.extend((1..=last).map(|number| NWeekday::Nth(number, weekday(*day)))),
            (number, _) => weekdays.push(NWeekday::Nth(number.into(), weekday(*day))),
        }
    }
    weekdays
}

fn fake_utc(local: DateTime) -> chrono::DateTime<rrule::Tz> {
    let number = |part: i8| u32::try_from(part).expect("parts of a date are positive");
    let [month, day, hour, minute, second] =
        [local.month(), local.day(), local.hour(), local.minute(), local.second()].map(number);
    let utc = rrule::Tz::UTC.with_ymd_and_hms(local.year().into(), month, day, hour, minute, second);
    utc.single().expect("every wall time exists once in UTC")
}

/// The way back; none after the last year.
fn civil(utc: chrono::DateTime<rrule::Tz>) -> Option<DateTime> {
    let year = i16::try_from(utc.year()).ok().filter(|year| *year <= LAST_YEAR)?;
    let number = |part: u32| i8::try_from(part).ok();
    let [month, day] = [number(utc.month())?, number(utc.day())?];
    let [hour, minute, second] = [number(utc.hour())?, number(utc.minute())?, number(utc.second())?];
    DateTime::new(year, month, day, hour, minute, second, 0).ok()
}

fn frequency(frequency: Frequency) -> rrule::Frequency {
    match frequency {
        Frequency::Daily => rrule::Frequency::Daily,
        Frequency::Weekly => rrule::Frequency::Weekly,
        Frequency::Monthly => rrule::Frequency::Monthly,
        Frequency::Yearly => rrule::Frequency::Yearly,
    }
}

fn weekday(weekday: Weekday) -> chrono::Weekday {
    match weekday {
        Weekday::Monday => chrono::Weekday::Mon,
        Weekday::Tuesday => chrono::Weekday::Tue,
        Weekday::Wednesday => chrono::Weekday::Wed,
        Weekday::Thursday => chrono::Weekday::Thu,
        Weekday::Friday => chrono::Weekday::Fri,
        Weekday::Saturday => chrono::Weekday::Sat,
        Weekday::Sunday => chrono::Weekday::Sun,
    }
}
