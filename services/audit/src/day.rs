//! The day of an event, and how PostgreSQL keeps it.

use std::fmt;

use events::EventId;
use jiff::{SignedDuration, Span, Timestamp, civil::Date, tz::TimeZone};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef},
};

/// A day of the calendar in UTC; a `date` of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub Date);

impl Day {
    /// The day of this instant.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        Self(TimeZone::UTC.to_datetime(instant).date())
    }

    /// The day that stands in the id: when the event was recorded at its source, whenever it arrives.
    #[must_use]
    pub fn of_event(id: EventId) -> Self {
        Self::of(id.made_at())
    }

    /// The day so many days later; earlier for a negative number. The calendar's ends are not passed.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(Span::new().days(days)))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where PostgreSQL counts days from.
const EPOCH: Date = Date::constant(2000, 1, 1);
const HOURS_PER_DAY: i64 = 24;

impl Type<Postgres> for Day {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("DATE")
    }
}

impl Encode<'_, Postgres> for Day {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let days = i32::try_from(self.0.duration_since(EPOCH).as_hours() / HOURS_PER_DAY)?;
        Encode::<Postgres>::encode_by_ref(&days, buffer)
    }
}

impl Decode<'_, Postgres> for Day {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let days = <i32 as Decode<Postgres>>::decode(value)?;
        let since_epoch = SignedDuration::from_hours(i64::from(days) * HOURS_PER_DAY);
        Ok(Self(EPOCH.checked_add(since_epoch)?))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_event_belongs_to_the_utc_date_inside_its_id() {
        let of = |id: &str| Day::of_event(id.parse::<Uuid>().unwrap().try_into().unwrap()).to_string();
        assert_eq!(of("01a0c450-6c06-7707-8707-070707070707"), "2026-09-21");
        assert_eq!(of("00000000-0000-7000-8000-000000000000"), "1970-01-01");
    }

    #[test]
    fn days_are_counted_across_months_and_stop_at_the_ends() {
        let day = Day(Date::constant(2026, 3, 1));
        assert_eq!(day.plus(-1).to_string(), "2026-02-28");
        assert_eq!(Day(Date::MAX).plus(1), Day(Date::MAX));
        assert_eq!(Day(Date::MIN).plus(-1), Day(Date::MIN));
    }
}
