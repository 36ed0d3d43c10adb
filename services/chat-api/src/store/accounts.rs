//! Built-in accounts.

use domain::id::UserId;
use sqlx::{PgConnection, Result};

/// An account that somebody wants to enter.
#[derive(Clone, Debug)]
pub(crate) struct AccountRow {
    pub(crate) user_id: String,
    pub(crate) password_hash: String,
}

/// The account of this name.
pub(crate) async fn find(connection: &mut PgConnection, name: &str) -> Result<Option<AccountRow>> {
    sqlx::query_as!(
        AccountRow,
        "select user_id, password_hash from chat.account where name = $1",
        name,
    )
    .fetch_optional(connection)
    .await
}

/// Writes a new account; `false` when the name is taken.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    name: &str,
    user: &UserId,
    password_hash: &str,
) -> Result<bool> {
    let inserted = sqlx::query!(
        "insert into chat.account (name, user_id, password_hash) values ($1, $2, $3) on conflict (name) do nothing",
        name,
        user.as_str(),
        password_hash,
    )
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
