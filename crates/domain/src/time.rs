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
            .filter(|zone| zone.iana_name().is_some() && !zone.is_unknown())
            .map(Self)
            .ok_or_else(|| UnknownZone(name.to_owned()))
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
