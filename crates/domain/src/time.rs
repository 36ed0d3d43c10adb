//! The three kinds of due time, and the zones that give wall times their instant.
//!
//! Due times and reminders have a resolution of one second and lie in the years [`MIN_YEAR`] to [`MAX_YEAR`].

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::task::problem::{Field, FieldProblem, ProblemCode};

/// The first year of a due time or reminder.
pub const MIN_YEAR: i16 = 1970;
/// The last year of a due time or reminder.
pub const MAX_YEAR: i16 = 9999;

/// A time zone with an IANA name, from the tzdata release that is compiled in: the same rules on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Finds a zone by its IANA name; upper and lower case are alike, and the name gets its usual spelling.
    pub fn new(name: &str) -> Result<Self, UnknownZone> {
        TimeZoneDatabase::bundled()
            .get(name)
            .ok()
            .filter(|zone| zone.iana_name().is_some())
            .map(Self)
            .ok_or_else(|| UnknownZone(name.to_owned()))
    }

    /// The IANA names of all zones, in their usual spelling, sorted.
    pub fn names() -> Vec<String> {
        let zones = TimeZoneDatabase::bundled();
        let names = zones.available().map(|name| name.as_str().to_owned());
        let mut names: Vec<String> = names.filter(|name| Self::new(name).is_ok()).collect();
        names.sort();
        names
    }

    /// The IANA name, such as `Europe/Berlin`.
    pub fn name(&self) -> &str {
        self.0.iana_name().expect("a zone is found by its name")
    }

    /// The rules of the zone.
    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    /// The instant at which clocks in this zone show `local`: a time in a gap is as much later as the gap is long, a time
    /// that comes twice means the first. Stops at the first or last instant there is.
    pub fn instant(&self, local: DateTime) -> Timestamp {
        let nearest = if local.year() < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        self.0.to_ambiguous_timestamp(local).compatible().unwrap_or(nearest)
    }

    /// What clocks in this zone show at `instant`.
    pub fn local(&self, instant: Timestamp) -> DateTime {
        self.0.to_datetime(instant)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        Self::new(name)
    }
}

/// No time zone has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no time zone is named `{0}`")]
pub struct UnknownZone(pub String);

/// When a task is due. The kind says what happens when the user travels or the clocks change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// A moment: the same for everyone, whatever clocks show.
    Instant(Timestamp),
    /// A wall time in a fixed place: 9:00 in Berlin, wherever the user is.
    Zoned {
        /// What the clocks there show.
        local: DateTime,
        /// The place.
        zone: Zone,
    },
    /// A wall time wherever the user is: 9:00, also after a flight.
    Floating(DateTime),
}

impl Due {
    /// Drops fractions of a second and refuses what is out of range; every transition that sets a due time does this.
    pub fn checked(self) -> Result<Self, FieldProblem> {
        let local = self.local();
        if !(MIN_YEAR..=MAX_YEAR).contains(&local.year()) {
            return Err(out_of_range(Field::Due));
        }
        Ok(self.with_local(local))
    }

    /// The instant of this due time for a user who lives in `user_zone`.
    pub fn at(&self, user_zone: &Zone) -> Timestamp {
        self.zone(user_zone).instant(self.local())
    }

    /// The wall time as it is written down; that of an instant is in UTC.
    pub fn local(&self) -> DateTime {
        match self {
            Self::Instant(instant) => Zone::UTC.local(*instant),
            Self::Zoned { local, .. } | Self::Floating(local) => *local,
        }
    }

    /// The zone in which [`Due::local`] is meant.
    pub fn zone(&self, user_zone: &Zone) -> Zone {
        match self {
            Self::Instant(_) => Zone::UTC,
            Self::Zoned { zone, .. } => zone.clone(),
            Self::Floating(_) => user_zone.clone(),
        }
    }

    /// The same kind of due time, and the same zone, at another wall time, in whole seconds.
    #[must_use]
    pub fn with_local(&self, local: DateTime) -> Self {
        let local = whole_seconds(local);
        match self {
            Self::Instant(_) => Self::Instant(Zone::UTC.instant(local)),
            Self::Zoned { zone, .. } => Self::Zoned {
                local,
                zone: zone.clone(),
            },
            Self::Floating(_) => Self::Floating(local),
        }
    }

    /// Whether both mean their wall time alike: the same kind and the same zone.
    pub fn is_like(&self, other: &Self) -> bool {
        self.with_local(DateTime::MIN) == other.with_local(DateTime::MIN)
    }
}

/// Drops fractions of a second from an instant that is in range.
pub(crate) fn checked_instant(instant: Timestamp, field: Field) -> Result<Timestamp, FieldProblem> {
    match Due::Instant(instant).checked() {
        Ok(due) => Ok(due.at(&Zone::UTC)),
        Err(_) => Err(out_of_range(field)),
    }
}

fn out_of_range(field: Field) -> FieldProblem {
    let message = format!("must lie in the years {MIN_YEAR} to {MAX_YEAR}");
    FieldProblem::new(field, ProblemCode::OutOfRange, message)
}

fn whole_seconds(local: DateTime) -> DateTime {
    let time = local.time();
    let whole = Time::constant(time.hour(), time.minute(), time.second(), 0);
    local.date().to_datetime(whole)
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::new(name).unwrap()
    }

    fn zoned(local: DateTime, name: &str) -> Due {
        let zone = zone(name);
        Due::Zoned { local, zone }
    }

    #[test]
    fn zones_are_found_by_their_iana_name_only() {
        for (name, found) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("UTC", "UTC"),
        ] {
            assert_eq!(zone(name).name(), found);
        }
        for name in [
            "",
            "Berlin",
            "Mars/Olympus",
            "+02:00",
            "CET-1CEST",
            "Etc/Unknown",
            "../etc/passwd",
            "Europe/Berlin\0",
        ] {
            assert_eq!(Zone::new(name), Err(UnknownZone(name.to_owned())));
        }
    }

    #[test]
    fn each_kind_of_due_time_has_its_own_idea_of_travel() {
        let nine = datetime(2026, 7, 1, 9, 0, 0, 0);
        let (home, away) = (zone("Europe/Berlin"), zone("America/New_York"));
        for (due, at_home, when_away) in [
            (
                Due::Instant("2026-07-01T07:00:00Z".parse().unwrap()),
                "2026-07-01T07:00:00Z",
                "2026-07-01T07:00:00Z",
            ),
            (
                zoned(nine, "Europe/Berlin"),
                "2026-07-01T07:00:00Z",
                "2026-07-01T07:00:00Z",
            ),
            (Due::Floating(nine), "2026-07-01T07:00:00Z", "2026-07-01T13:00:00Z"),
        ] {
            assert_eq!(due.at(&home).to_string(), at_home, "{due:?}");
            assert_eq!(due.at(&away).to_string(), when_away, "{due:?}");
        }
    }

    #[test]
    fn a_time_in_a_gap_is_later_and_a_doubled_one_is_the_first() {
        for (local, name, instant) in [
            (
                datetime(2026, 3, 29, 2, 30, 0, 0),
                "Europe/Berlin",
                "2026-03-29T01:30:00Z",
            ),
            (
                datetime(2026, 10, 25, 2, 30, 0, 0),
                "Europe/Berlin",
                "2026-10-25T00:30:00Z",
            ),
            (
                datetime(2026, 4, 24, 0, 0, 0, 0),
                "Africa/Cairo",
                "2026-04-23T22:00:00Z",
            ),
            (
                datetime(2011, 12, 30, 9, 0, 0, 0),
                "Pacific/Apia",
                "2011-12-30T19:00:00Z",
            ),
        ] {
            assert_eq!(zoned(local, name).at(&Zone::UTC).to_string(), instant, "{local} {name}");
        }
    }

    #[test]
    fn due_times_lie_in_range_and_on_whole_seconds() {
        let due = Due::Floating(datetime(1970, 1, 1, 0, 0, 0, 999_999_999)).checked();
        assert_eq!(due, Ok(Due::Floating(datetime(1970, 1, 1, 0, 0, 0, 0))));
        assert!(Due::Floating(datetime(9999, 12, 31, 23, 59, 59, 0)).checked().is_ok());
        assert!(Due::Instant(Timestamp::MAX).checked().is_ok());
        let early = zoned(datetime(1969, 12, 31, 23, 59, 59, 0), "Asia/Tokyo");
        for due in [Due::Instant(Timestamp::MIN), Due::Floating(DateTime::MIN), early] {
            let problem = due.checked().unwrap_err();
            assert_eq!((problem.field, problem.code), (Field::Due, ProblemCode::OutOfRange));
        }
    }

    fn any_local() -> impl Strategy<Value = DateTime> {
        (any::<u32>(), -9999..=9999_i16, 1..=12_i8, 1..=28_i8).prop_map(|(seconds, year, month, day)| {
            let start = datetime(year, month, day, 0, 0, 0, 0);
            start.saturating_add(jiff::Span::new().seconds(seconds % 86_400))
        })
    }

    fn any_zone() -> impl Strategy<Value = Zone> {
        let names: Vec<String> = TimeZoneDatabase::bundled()
            .available()
            .map(|name| name.to_string())
            .collect();
        prop::sample::select(names).prop_filter_map("a placeholder", |name| Zone::new(&name).ok())
    }

    proptest! {
        /// Also outside the range: rows and events of others may hold anything.
        #[test]
        fn every_wall_time_has_an_instant_not_before_it_shows(local in any_local(), zone in any_zone()) {
            let instant = zone.instant(local);
            let shown = zone.local(instant);
            let at_the_edge = instant == Timestamp::MAX || instant == Timestamp::MIN;
            prop_assert!(at_the_edge || shown >= local, "{} shows {}", instant, shown);
        }

        #[test]
        fn an_instant_comes_back_from_its_wall_time(second in 0..=253_402_207_200_i64) {
            let due = Due::Instant(Timestamp::from_second(second).unwrap());
            prop_assert_eq!(due.with_local(due.local()), due);
        }
    }
}
