//! What a person has chosen, and what follows from a change of it.

use domain::{id::UserId, time::Zone};
use service_kit::database::time::Instant;
use sqlx::PgConnection;

use super::{DEFAULT_LANGUAGE, DEFAULT_ZONE, Error, Precondition};
use crate::store::profiles::{self, ProfileRow};

/// Read what the person has chosen, or what holds for everyone who has not.
pub(crate) async fn read(connection: &mut PgConnection, user: &UserId) -> Result<ProfileRow, Error> {
    Ok(profiles::find(connection, user).await?.unwrap_or_else(unchosen))
}

/// Writes what the person has chosen; the version of `chosen` is not looked at. With another zone, floating times mean
/// other instants.
pub(crate) async fn write(
    connection: &mut PgConnection,
    user: &UserId,
    precondition: &Precondition,
    zone: &Zone,
    chosen: ProfileRow,
) -> Result<ProfileRow, Error> {
    // Tasks are locked before the profile, as everywhere.
    profiles::lock_floating(connection, user).await?;
    let current = profiles::find_and_lock(connection, user)
        .await?
        .unwrap_or_else(unchosen);
    if !precondition.allows(current.version) {
        return Err(Error::ProfileMismatch {
            user: user.clone(),
            current: Box::new(current),
        });
    }
    let chosen = ProfileRow {
        version: current.version,
        ..chosen
    };
    if chosen == current {
        return Ok(current);
    }
    if chosen.time_zone != current.time_zone {
        // Once more: some may be new since. Whoever has locked one of those waits for the profile, and then reads the
        // zone that is written here.
        let floating = profiles::floating(connection, user).await?.into_iter();
        let instants: Vec<_> = floating
            .map(|(id, local)| (id, Instant(zone.instant(local.0))))
            .collect();
        profiles::move_due(connection, &instants).await?;
    }
    let chosen = ProfileRow {
        version: current.version + 1,
        ..chosen
    };
    profiles::save(connection, user, &chosen).await?;
    Ok(chosen)
}

fn unchosen() -> ProfileRow {
    ProfileRow {
        time_zone: DEFAULT_ZONE.name().to_owned(),
        language: DEFAULT_LANGUAGE.to_owned(),
        channels: vec![DEFAULT_CHANNEL.to_owned()],
        version: 1,
    }
}

/// How reminders reach people who have chosen nothing.
const DEFAULT_CHANNEL: &str = "in_app";
