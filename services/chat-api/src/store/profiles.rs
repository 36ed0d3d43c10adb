//! What people have chosen.

use domain::id::UserId;
use service_kit::database::time::{Instant, WallTime};
use sqlx::{PgConnection, Result};

/// A row of `chat.profile`, without the counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProfileRow {
    pub(crate) time_zone: String,
    pub(crate) language: String,
    pub(crate) channels: Vec<String>,
    pub(crate) version: i64,
}

/// What this person has chosen; `None` where they never wrote anything.
pub(crate) async fn find(connection: &mut PgConnection, user: &UserId) -> Result<Option<ProfileRow>> {
    sqlx::query_as!(
        ProfileRow,
        "select time_zone, language, channels, version from chat.profile where user_id = $1",
        user.as_str(),
    )
    .fetch_optional(connection)
    .await
}

/// As [`find`], and nobody else changes it before the transaction ends.
pub(crate) async fn find_and_lock(connection: &mut PgConnection, user: &UserId) -> Result<Option<ProfileRow>> {
    sqlx::query_as!(
        ProfileRow,
        "select time_zone, language, channels, version from chat.profile where user_id = $1 for update",
        user.as_str(),
    )
    .fetch_optional(connection)
    .await
}

/// Writes what a person has chosen; the counter stays as it is.
pub(crate) async fn save(connection: &mut PgConnection, user: &UserId, profile: &ProfileRow) -> Result<()> {
    sqlx::query!(
        "insert into chat.profile as profile (user_id, time_zone, language, channels, version)
        values ($1, $2, $3, $4, $5)
        on conflict (user_id) do update
            set time_zone = $2, language = $3, channels = $4, version = $5",
        user.as_str(),
        profile.time_zone,
        profile.language,
        &profile.channels,
        profile.version,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks this person's tasks with a floating due time, in the order of their ids.
pub(crate) async fn lock_floating(connection: &mut PgConnection, user: &UserId) -> Result<()> {
    sqlx::query!(
        "select id from chat.task where user_id = $1 and due_kind = 'floating' order by id for update",
        user.as_str(),
    )
    .fetch_all(connection)
    .await?;
    Ok(())
}

/// Ids and wall times of this person's floating due times; without those that somebody else has locked.
pub(crate) async fn floating(connection: &mut PgConnection, user: &UserId) -> Result<Vec<(i64, WallTime)>> {
    let rows = sqlx::query!(
        r#"select id, due_local as "due_local!" from chat.task
        where user_id = $1 and due_kind = 'floating' for update skip locked"#,
        user.as_str(),
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.due_local)).collect())
}

/// Gives due times their instants anew.
pub(crate) async fn move_due(connection: &mut PgConnection, instants: &[(i64, Instant)]) -> Result<()> {
    let (ids, instants): (Vec<_>, Vec<_>) = instants.iter().copied().unzip();
    sqlx::query!(
        "update chat.task set due_at = moved.due_at
        from unnest($1::bigint[], $2::timestamptz[]) as moved (id, due_at) where task.id = moved.id",
        &ids,
        instants.as_slice() as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}
