//! Forty zones, every change of their clocks, month ends and leap years.
//!
//! What is right is said by predicates that use nothing but the offsets of the zone, never by our own output.

use domain::recurrence::preview::{Shift, Upcoming};
use domain::recurrence::{MonthEnd, Recurrence};
use domain::time::Zone;
use jiff::civil::{Date, DateTime, Time, date, time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::floating;

/// Zones with each way of changing clocks: at midnight, by half an hour, by two hours, backwards in summer, over the
/// date line, no longer, and never.
const ZONES: [&str; 40] = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Johannesburg",
    "America/Asuncion",
    "America/Caracas",
    "America/Chicago",
    "America/Havana",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/Miquelon",
    "America/Montevideo",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Damascus",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Asia/Tokyo",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "UTC",
];

/// Long enough ago for every way, and some years ahead.
const YEARS: std::ops::Range<i16> = 2003..2031;

#[test]
fn every_day_has_its_occurrence_through_every_clock_change() {
    let mut seen = Seen::default();
    for zone in zones() {
        for change in changes(&zone) {
            for at in wall_times(&change) {
                let first = change.earliest().date().saturating_sub(2.days()).to_datetime(at);
                let days = floating("FREQ=DAILY", first, MonthEnd::Clamp).preview(&zone, first, 6);
                let dates: Vec<Date> = days.iter().map(|day| day.key.get().date()).collect();
                assert_eq!(
                    dates,
                    first.date().series(1.day()).take(6).collect::<Vec<_>>(),
                    "{zone} {first}"
                );
                check_on_the_clock(&zone, at, &days, &mut seen);
            }
        }
    }
    assert!(seen.gaps > 1000, "{seen:?}");
    assert!(seen.overlaps > 1000, "{seen:?}");
    assert!(seen.gaps_at_midnight > 100, "{seen:?}");
    assert!(seen.same_instant_twice > 0, "{seen:?}");
}

#[test]
fn month_ends_keep_their_day_and_their_wall_time_in_every_zone() {
    let mut seen = Seen::default();
    let wall_times = [(0, 0), (0, 30), (2, 30), (23, 30)].map(|(hour, minute)| time(hour, minute, 0, 0));
    for zone in zones() {
        for at in wall_times {
            for month_end in [MonthEnd::Clamp, MonthEnd::Last, MonthEnd::Skip] {
                let first = date(2008, 1, 31).to_datetime(at);
                let monthly = floating("FREQ=MONTHLY", first, month_end).preview(&zone, first, 48);
                assert_eq!(
                    days(&monthly),
                    month_ends(first.date(), month_end, 48),
                    "{zone} {at} {month_end:?}"
                );
                check_on_the_clock(&zone, at, &monthly, &mut seen);
            }
        }
    }
    assert!(seen.gaps > 10, "{seen:?}");
    assert!(seen.overlaps > 10, "{seen:?}");
    assert!(seen.clamped > 1000, "{seen:?}");
}

#[test]
fn four_hundred_years_of_month_ends_do_not_drift() {
    let first = date(2000, 1, 31).at(9, 0, 0, 0);
    let months = 400 * 12;
    let keys = |recurrence: &Recurrence| {
        let keys = recurrence.occurrences_between(first, DateTime::MAX).take(months);
        keys.map(|key| key.get().date()).collect::<Vec<_>>()
    };
    for month_end in [MonthEnd::Clamp, MonthEnd::Last, MonthEnd::Skip] {
        let monthly = floating("FREQ=MONTHLY", first, month_end);
        assert_eq!(
            keys(&monthly),
            month_ends(first.date(), month_end, months),
            "{month_end:?}"
        );
    }
    let spelled_out = floating("FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", first, MonthEnd::Skip);
    assert_eq!(keys(&spelled_out), month_ends(first.date(), MonthEnd::Clamp, months));
}

#[test]
fn a_leap_day_stands_on_the_28th_only_in_common_years() {
    let first = date(2000, 2, 29).at(9, 0, 0, 0);
    let yearly = floating("FREQ=YEARLY", first, MonthEnd::Clamp);
    for (year, key) in (2000..2402).zip(yearly.occurrences_between(first, DateTime::MAX)) {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        assert_eq!(key.get().date(), date(year, 2, if leap { 29 } else { 28 }));
    }
}

/// What the matrix has met, so that it cannot pass for want of cases.
#[derive(Debug, Default)]
struct Seen {
    gaps: usize,
    gaps_at_midnight: usize,
    overlaps: usize,
    clamped: usize,
    same_instant_twice: usize,
}

/// The order of keys and instants, and each one's place on the clock.
fn check_on_the_clock(zone: &Zone, at: Time, all: &[Upcoming], seen: &mut Seen) {
    for pair in all.windows(2) {
        assert!(pair[0].key < pair[1].key, "{zone} {pair:?}");
        assert!(pair[0].instant <= pair[1].instant, "{zone} {pair:?}");
        if pair[0].instant == pair[1].instant {
            // Only where a whole day is skipped: its occurrence falls on the next.
            assert_eq!(pair[0].local.date(), pair[1].key.get().date(), "{zone} {pair:?}");
            seen.same_instant_twice += 1;
        }
    }
    for one in all {
        let intended = one.key.get();
        assert_eq!(intended.time(), at, "{zone} {one:?}");
        assert_eq!(one.local, shown(zone.time_zone(), one.instant), "{zone} {one:?}");
        let [before, after] = candidates(zone.time_zone(), intended);
        let exists = |instant: &Timestamp| shown(zone.time_zone(), *instant) == intended;
        let clock = one
            .shifts
            .iter()
            .find(|shift| matches!(shift, Shift::Gap | Shift::Overlap));
        if let Some(first) = [before, after].into_iter().filter(exists).min() {
            assert_eq!((one.instant, one.local), (first, intended), "{zone} {one:?}");
            let twice = before != after && exists(&before) && exists(&after);
            assert_eq!(clock, twice.then_some(&Shift::Overlap), "{zone} {one:?}");
            seen.overlaps += usize::from(twice);
        } else {
            let skipped = before.duration_since(after);
            assert!(skipped.is_positive(), "{zone} {one:?}");
            assert_eq!((one.instant, one.local), (before, intended + skipped), "{zone} {one:?}");
            assert_eq!(clock, Some(&Shift::Gap), "{zone} {one:?}");
            seen.gaps += 1;
            seen.gaps_at_midnight += usize::from(at.hour() == 0);
        }
        seen.clamped += one
            .shifts
            .iter()
            .filter(|shift| matches!(shift, Shift::MonthEnd { .. }))
            .count();
    }
}

/// The instants of this wall time by the offset well before and the one well after it.
fn candidates(zone: &TimeZone, local: DateTime) -> [Timestamp; 2] {
    let near = at_offset(Offset::UTC, local);
    [-26, 26].map(|hours| {
        let offset = zone.to_offset(near + SignedDuration::from_hours(hours));
        at_offset(offset, local)
    })
}

fn at_offset(offset: Offset, local: DateTime) -> Timestamp {
    offset.to_timestamp(local).expect("the years of this test are in range")
}

fn shown(zone: &TimeZone, instant: Timestamp) -> DateTime {
    zone.to_offset(instant).to_datetime(instant)
}

fn zones() -> impl Iterator<Item = Zone> {
    ZONES.into_iter().map(|name| Zone::new(name).expect(name))
}

/// A moment when clocks are put forward or back, as they show it before and after.
struct Change {
    before: DateTime,
    after: DateTime,
}

impl Change {
    fn earliest(&self) -> DateTime {
        self.before.min(self.after)
    }
}

fn changes(zone: &Zone) -> Vec<Change> {
    let rules = zone.time_zone();
    let start = at_offset(Offset::UTC, date(YEARS.start, 1, 1).at(0, 0, 0, 0));
    let transitions = rules.following(start).map(|transition| transition.timestamp());
    transitions
        .map(|instant| Change {
            before: rules
                .to_offset(instant - SignedDuration::from_secs(1))
                .to_datetime(instant),
            after: shown(rules, instant),
        })
        .take_while(|change| change.after.year() < YEARS.end)
        .filter(|change| change.before != change.after)
        .collect()
}

/// The edges of what is skipped or repeated, a time inside, and midnight.
fn wall_times(change: &Change) -> [Time; 5] {
    let (from, to) = (change.earliest(), change.before.max(change.after));
    let second = SignedDuration::from_secs(1);
    let inside = from + from.duration_until(to) / 2;
    [
        from.time(),
        inside.time(),
        (to - second).time(),
        to.time(),
        Time::midnight(),
    ]
}

fn days(all: &[Upcoming]) -> Vec<Date> {
    all.iter().map(|one| one.key.get().date()).collect()
}

/// The month ends that a rule for the 31st names from `first` on, by the lengths of months alone.
fn month_ends(first: Date, month_end: MonthEnd, count: usize) -> Vec<Date> {
    let months = first.first_of_month().series(1.month());
    let last = months.map(Date::last_of_month);
    let named = last.filter(|last| month_end != MonthEnd::Skip || last.day() == 31);
    named.take(count).collect()
}
