//! What people have chosen.

use domain::id::UserId;
use sqlx::{PgConnection, Result};

/// A row of `chat.profile`, without the counter.
#[derive(Clone, Debug)]
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
