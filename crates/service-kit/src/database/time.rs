//! Instants and wall times as PostgreSQL keeps them: whole microseconds. The library that joins jiff and sqlx is for an
//! older jiff.

use jiff::{SignedDuration, Timestamp, civil::DateTime};
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef},
};

/// Where PostgreSQL counts from: 2000-01-01, in microseconds after 1970-01-01.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

/// A `timestamptz`: an instant, to the microsecond. What is finer is dropped, towards the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub Timestamp);

/// A `timestamp`: a wall time without a zone, to the microsecond. What is finer is dropped, towards the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallTime(pub DateTime);

impl Type<Postgres> for Instant {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("TIMESTAMPTZ")
    }
}

impl PgHasArrayType for Instant {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_TIMESTAMPTZ")
    }
}

impl Encode<'_, Postgres> for Instant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let microseconds = i64::try_from(self.0.as_nanosecond().div_euclid(1000))? - EPOCH_MICROSECONDS;
        Encode::<Postgres>::encode_by_ref(&microseconds, buffer)
    }
}

impl Decode<'_, Postgres> for Instant {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let microseconds = <i64 as Decode<Postgres>>::decode(value)?;
        let since_1970 = microseconds.checked_add(EPOCH_MICROSECONDS);
        let since_1970 = since_1970.ok_or("an instant that is infinite")?;
        Ok(Self(Timestamp::from_microsecond(since_1970)?))
    }
}

impl Type<Postgres> for WallTime {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("TIMESTAMP")
    }
}

impl PgHasArrayType for WallTime {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_TIMESTAMP")
    }
}

impl Encode<'_, Postgres> for WallTime {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let since_epoch = self.0.duration_since(EPOCH);
        let microseconds = i64::try_from(since_epoch.as_nanos().div_euclid(1000))?;
        Encode::<Postgres>::encode_by_ref(&microseconds, buffer)
    }
}

impl Decode<'_, Postgres> for WallTime {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        let microseconds = <i64 as Decode<Postgres>>::decode(value)?;
        Ok(Self(EPOCH.checked_add(SignedDuration::from_micros(microseconds))?))
    }
}

/// Where PostgreSQL counts wall times from.
const EPOCH: DateTime = DateTime::constant(2000, 1, 1, 0, 0, 0, 0);
