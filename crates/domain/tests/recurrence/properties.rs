//! What holds for every rule.

use std::collections::BTreeSet;

use domain::recurrence::error::RecurrenceError;
use domain::recurrence::next::{Next, Occurrence};
use domain::recurrence::rule::Rule;
use domain::recurrence::{Basis, CatchUp, OccurrenceKey, Recurrence, Terms};
use domain::time::Zone;
use jiff::ToSpan as _;
use jiff::civil::{DateTime, date, time};
use proptest::prelude::*;
use proptest::sample::select;

use crate::naive::{Every, Pattern, any_pattern};
use crate::terms;

proptest! {
    #[test]
    fn a_series_is_every_day_that_its_rule_names(pattern in any_pattern(), anchor in any_time()) {
        let days = anchor.date().series(1.day()).take(500);
        let named = days.filter(|day| pattern.names(anchor.date(), *day));
        let named: Vec<DateTime> = named.map(|day| day.to_datetime(anchor.time())).collect();
        match series(&pattern, "", anchor) {
            Ok(series) => {
                let keys = series.occurrences_between(anchor, anchor.saturating_add(500.days()));
                prop_assert_eq!(keys.map(OccurrenceKey::get).collect::<Vec<_>>(), named, "{}", pattern);
            }
            Err(refusal) => {
                prop_assert_eq!(refusal.code(), "no_instance");
                prop_assert!(named.is_empty(), "{} names {:?}", pattern, named);
            }
        }
    }

    #[test]
    fn splitting_a_range_changes_nothing(
        series in any_series(),
        [start, middle, end] in prop::array::uniform3(0..3000_i32).prop_map(sorted),
    ) {
        let [start, middle, end] = [start, middle, end].map(|days| first(&series).saturating_add(days.days()));
        let keys = |from, to| series.occurrences_between(from, to).collect::<Vec<_>>();
        let whole = keys(start, end);
        prop_assert!(whole.is_sorted_by(|one, other| one < other));
        prop_assert_eq!(whole, [keys(start, middle), keys(middle, end)].concat());
    }

    #[test]
    fn what_follows_is_the_first_of_all_that_come_later(series in any_series(), skip in 0..5_usize) {
        let mut all = series.occurrences_between(first(&series), DateTime::MAX).skip(skip);
        let Some(key) = all.next() else { return Ok(()) };
        let completed = Occurrence { key, ordinal: 1 };
        // COUNT is a matter of what was created, which this property knows nothing about.
        let next = match series.next(completed, key.get()) {
            Next::Occurrence(next) => Some(next.key),
            Next::Ended => None,
        };
        let counted = matches!(series.terms().rule.end(), domain::recurrence::rule::End::Count(_));
        prop_assert!(counted || next == all.next(), "{:?}", next);
    }

    #[test]
    fn a_later_anchor_by_whole_periods_names_the_same_dates(
        pattern in any_pattern(),
        anchor in any_time(),
        periods in 1..4_i32,
    ) {
        let names_days = !(pattern.weekdays.is_empty() && pattern.month_days.is_empty());
        let units = periods * pattern.interval;
        let (later, comparable) = match pattern.every {
            Every::Day => (anchor.saturating_add(units.days()), true),
            Every::Week => (anchor.saturating_add(units.weeks()), true),
            Every::Month => (anchor.saturating_add(units.months()), names_days || anchor.day() <= 28),
            Every::Year => (anchor.saturating_add(units.years()), names_days || anchor.day() <= 28),
        };
        if let (true, Ok(one), Ok(other)) = (comparable, series(&pattern, "", anchor), series(&pattern, "", later)) {
            let [one, other] = [&one, &other].map(|series| {
                let keys = series.occurrences_between(later, later.saturating_add(2.years()));
                keys.collect::<Vec<_>>()
            });
            prop_assert_eq!(one, other, "{}", pattern);
        }
    }

    #[test]
    fn a_rule_reads_back_as_it_is_written(pattern in any_pattern(), end in any_end()) {
        let rule = Rule::parse(&format!("{pattern}{end}"), &Zone::UTC).expect("patterns are rules");
        let written = rule.to_string();
        let read = Rule::parse(&written, &Zone::new("Africa/Cairo").unwrap());
        prop_assert_eq!(read.as_ref(), Ok(&rule), "{}", written);
        prop_assert_eq!(Rule::parse(&format!("rrule:{};", written.to_lowercase()), &Zone::UTC), Ok(rule));
    }

    #[test]
    fn a_successor_comes_later_and_by_its_policy(
        series in any_series(),
        catch_up in select(vec![CatchUp::One, CatchUp::All, CatchUp::None]),
        basis in select(vec![Basis::FixedSchedule, Basis::AfterCompletion]),
        days_late in -60..400_i32,
    ) {
        let terms = Terms { catch_up, basis, ..series.terms().clone() };
        let series = Recurrence::new(terms).expect("neither choice makes a series barren");
        let Some(key) = series.occurrences_between(first(&series), DateTime::MAX).next() else { return Ok(()) };
        let at = key.get().saturating_add(days_late.days()).saturating_add(1.minute());
        let Next::Occurrence(next) = series.next(Occurrence { key, ordinal: 1 }, at) else { return Ok(()) };
        prop_assert!(next.key > key);
        prop_assert!(next.ordinal >= 2);
        prop_assert!(!series.terms().exceptions.contains(&next.key));
        prop_assert_eq!(next.key.get().time(), series.terms().anchor.time());
        let between = |from: DateTime, to| series.occurrences_between(from.saturating_add(1.second()), to).count();
        match (basis, catch_up) {
            (Basis::AfterCompletion, _) => prop_assert!(next.key.get().date() > at.date()),
            (Basis::FixedSchedule, CatchUp::All) => prop_assert_eq!(between(key.get(), next.key.get()), 0),
            (Basis::FixedSchedule, CatchUp::None) => {
                prop_assert!(next.key.get() > at);
                prop_assert_eq!(between(at.max(key.get()), next.key.get()), 0);
            }
            (Basis::FixedSchedule, CatchUp::One) if next.key.get() > at => {
                prop_assert_eq!(between(key.get(), next.key.get()), 0);
            }
            (Basis::FixedSchedule, CatchUp::One) => prop_assert_eq!(between(next.key.get(), at), 0),
        }
    }

    #[test]
    fn whatever_is_typed_gets_an_answer(text in any_typing(), anchor in any_time()) {
        let Ok(rule) = Rule::parse(&text, &Zone::UTC) else { return Ok(()) };
        let Ok(series) = Recurrence::new(terms(rule, anchor)) else { return Ok(()) };
        let first = series.preview(&Zone::UTC, DateTime::MIN, 1);
        prop_assert_eq!(first.len(), 1);
        prop_assert!(series.preview(&Zone::UTC, DateTime::MAX, 1).is_empty());
        let completed = Occurrence { key: first[0].key, ordinal: u32::MAX };
        let terms = Terms { basis: Basis::AfterCompletion, ..series.into_terms() };
        let series = Recurrence::new(terms).expect("a basis makes no series barren");
        if let Next::Occurrence(next) = series.next(completed, anchor) {
            prop_assert!(next.key > completed.key);
        }
    }
}

fn any_time() -> impl Strategy<Value = DateTime> {
    let date = (0..40_000_i32).prop_map(|days| date(1990, 1, 1).saturating_add(days.days()));
    (date, 0..24_i8, 0..60_i8).prop_map(|(date, hour, minute)| date.to_datetime(time(hour, minute, 0, 0)))
}

fn any_end() -> impl Strategy<Value = String> {
    let until = any_time().prop_map(|until| until.strftime(";UNTIL=%Y%m%dT%H%M%S").to_string());
    let count = (1..60_u32).prop_map(|count| format!(";COUNT={count}"));
    prop_oneof![2 => Just(String::new()), 1 => until, 1 => count]
}

/// A series with any end, and with some of its first occurrences taken out.
fn any_series() -> impl Strategy<Value = Recurrence> {
    let out = prop::collection::btree_set(0..8_usize, 0..3);
    (any_pattern(), any_end(), any_time(), out).prop_filter_map("names no date", |(pattern, end, anchor, out)| {
        let series = series(&pattern, &end, anchor).ok()?;
        let keys: Vec<OccurrenceKey> = series.occurrences_between(anchor, DateTime::MAX).take(8).collect();
        let exceptions: BTreeSet<_> = out.into_iter().filter_map(|index| keys.get(index).copied()).collect();
        let terms = Terms {
            exceptions,
            ..series.into_terms()
        };
        Recurrence::new(terms).ok()
    })
}

/// Text that is almost a rule, and often is one at the edge of what is allowed.
fn any_typing() -> impl Strategy<Value = String> {
    let weekday = || select(vec!["MO", "WE", "SU", "XX", "é"]).prop_map(str::to_owned);
    let number = |most: i32| (-most..=most).prop_map(|number| number.to_string()).boxed();
    let day = (number(54), weekday()).prop_map(|(number, weekday)| format!("{number}{weekday}"));
    let until = select(vec![
        "20260101",
        "99991231T235959Z",
        "00010101T000000Z",
        "2026",
        "T",
        "",
    ]);
    let part = |name: &'static str, item: BoxedStrategy<String>| {
        let items = prop::collection::vec(item, 1..4);
        items.prop_map(move |items| format!(";{name}={}", items.join(",")))
    };
    let part = prop_oneof![
        part("BYMONTH", number(13)),
        part("BYMONTHDAY", number(32)),
        part("BYDAY", prop_oneof![weekday(), day].boxed()),
        part("BYSETPOS", number(367)),
        part("INTERVAL", number(1001)),
        part("WKST", weekday().boxed()),
        part("UNTIL", until.prop_map(str::to_owned).boxed()),
        any::<String>(),
    ];
    let every = select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let parts = prop::collection::vec(part, 0..4);
    let almost = (every, parts).prop_map(|(every, parts)| format!("FREQ={every}{}", parts.concat()));
    prop_oneof![9 => almost, 1 => any::<String>()]
}

fn series(pattern: &Pattern, end: &str, anchor: DateTime) -> Result<Recurrence, RecurrenceError> {
    let rule = Rule::parse(&format!("{pattern}{end}"), &Zone::UTC).expect("patterns are rules");
    let terms = terms(rule, anchor);
    Recurrence::new(Terms {
        month_end: pattern.month_end,
        ..terms
    })
}

fn first(series: &Recurrence) -> DateTime {
    series.terms().anchor
}

fn sorted(mut three: [i32; 3]) -> [i32; 3] {
    three.sort_unstable();
    three
}
