//! Channels of people.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// A channel.
#[derive(Clone, Debug)]
pub(crate) struct ChannelRow {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) target: serde_json::Value,
    pub(crate) secret: Option<String>,
    pub(crate) enabled: bool,
    pub(crate) quiet_from: Option<String>,
    pub(crate) quiet_until: Option<String>,
    pub(crate) created_at: Instant,
    pub(crate) retired_at: Option<Instant>,
    pub(crate) retired_because: Option<String>,
}

/// The channels of a person, the oldest first; those that are gone too, as long as nobody has deleted them.
pub(crate) async fn of_user(connection: &mut PgConnection, user_id: &str) -> Result<Vec<ChannelRow>> {
    sqlx::query_as!(
        ChannelRow,
        "select id, kind, name, target, secret, enabled, quiet_from, quiet_until, created_at, retired_at,
            retired_because
        from notification.channel
        where user_id = $1 and retired_because is distinct from 'deleted'
        order by created_at, id",
        user_id,
    )
    .fetch_all(connection)
    .await
}

/// A channel of the person.
pub(crate) async fn find(connection: &mut PgConnection, user_id: &str, id: Uuid) -> Result<Option<ChannelRow>> {
    sqlx::query_as!(
        ChannelRow,
        "select id, kind, name, target, secret, enabled, quiet_from, quiet_until, created_at, retired_at,
            retired_because
        from notification.channel
        where user_id = $1 and id = $2 and retired_because is distinct from 'deleted'",
        user_id,
        id,
    )
    .fetch_optional(connection)
    .await
}

/// How many channels the person has, counted so that two requests cannot both take the last place.
pub(crate) async fn lock_and_count(connection: &mut PgConnection, user_id: &str) -> Result<i64> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('notification.channel ' || $1, 0))",
        user_id
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from notification.channel
        where user_id = $1 and retired_because is distinct from 'deleted'"#,
        user_id,
    )
    .fetch_one(connection)
    .await
}

/// Adds a channel.
pub(crate) async fn add(connection: &mut PgConnection, user_id: &str, row: &ChannelRow) -> Result<()> {
    sqlx::query!(
        "insert into notification.channel
            (id, user_id, kind, name, target, secret, enabled, quiet_from, quiet_until, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        row.id,
        user_id,
        row.kind,
        row.name,
        row.target,
        row.secret,
        row.enabled,
        row.quiet_from,
        row.quiet_until,
        row.created_at as Instant,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes what the person has chosen for a channel. False when they have no such channel.
pub(crate) async fn change(connection: &mut PgConnection, user_id: &str, row: &ChannelRow) -> Result<bool> {
    let changed = sqlx::query!(
        "update notification.channel set name = $3, enabled = $4, quiet_from = $5, quiet_until = $6
        where user_id = $1 and id = $2 and retired_because is distinct from 'deleted'",
        user_id,
        row.id,
        row.name,
        row.enabled,
        row.quiet_from,
        row.quiet_until,
    )
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Retires a channel for good, and says whether it was not retired before.
pub(crate) async fn retire(connection: &mut PgConnection, id: Uuid, because: &str) -> Result<bool> {
    let retired = sqlx::query!(
        "update notification.channel set retired_at = now(), retired_because = $2
        where id = $1 and retired_at is null",
        id,
        because,
    )
    .execute(connection)
    .await?;
    Ok(retired.rows_affected() == 1)
}

/// Takes a channel of the person away; its deliveries stay in the ledger. False when they have no such channel.
pub(crate) async fn delete(connection: &mut PgConnection, user_id: &str, id: Uuid) -> Result<bool> {
    let deleted = sqlx::query!(
        "update notification.channel
        set retired_at = coalesce(retired_at, now()), retired_because = 'deleted', secret = null, target = '{}'
        where user_id = $1 and id = $2 and retired_because is distinct from 'deleted'",
        user_id,
        id,
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() == 1)
}
