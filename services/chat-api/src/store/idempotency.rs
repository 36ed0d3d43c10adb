//! Answers to requests with an idempotency key.

use domain::id::UserId;
use serde_json::Value;
use sqlx::{PgConnection, Result};

/// An answer as it stands in `chat.idempotency_key`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RecordedAnswer {
    /// SHA-256 of the request.
    pub(crate) fingerprint: Vec<u8>,
    /// Status of the answer.
    pub(crate) status: i16,
    /// Name → value.
    pub(crate) headers: Value,
    /// The body, byte for byte.
    pub(crate) body: Vec<u8>,
}

/// Takes the key for the request of this transaction. Waits while another transaction holds it; `false` when an answer
/// is recorded for it. A key older than a day is free again.
pub(crate) async fn claim(connection: &mut PgConnection, user: &UserId, key: &str, fingerprint: &[u8]) -> Result<bool> {
    let claimed = sqlx::query!(
        "insert into chat.idempotency_key as old (user_id, key, fingerprint) values ($1, $2, $3)
        on conflict (user_id, key) do update
            set fingerprint = excluded.fingerprint, created_at = now(), status = null, headers = null, body = null
            where old.created_at < now() - interval '24 hours'",
        user.as_str(),
        key,
        fingerprint,
    )
    .execute(connection)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// The answer that is recorded for a key which could not be claimed.
pub(crate) async fn find(connection: &mut PgConnection, user: &UserId, key: &str) -> Result<RecordedAnswer> {
    sqlx::query_as!(
        RecordedAnswer,
        r#"select fingerprint, status as "status!", headers as "headers!", body as "body!"
        from chat.idempotency_key where user_id = $1 and key = $2"#,
        user.as_str(),
        key,
    )
    .fetch_one(connection)
    .await
}

/// Records the answer for a key that this transaction has claimed.
pub(crate) async fn record(
    connection: &mut PgConnection,
    user: &UserId,
    key: &str,
    status: i16,
    headers: &Value,
    body: &[u8],
) -> Result<()> {
    sqlx::query!(
        "update chat.idempotency_key set status = $3, headers = $4, body = $5 where user_id = $1 and key = $2",
        user.as_str(),
        key,
        status,
        headers,
        body,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes up to `limit` keys that are older than a day. Says how many.
pub(crate) async fn prune(connection: &mut PgConnection, limit: i64) -> Result<u64> {
    let pruned = sqlx::query!(
        "delete from chat.idempotency_key where (user_id, key) in (
            select user_id, key from chat.idempotency_key where created_at < now() - interval '24 hours'
            order by created_at limit $1 for update skip locked
        )",
        limit,
    )
    .execute(connection)
    .await?;
    Ok(pruned.rows_affected())
}
