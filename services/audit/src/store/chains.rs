//! Chains: where they end, whose they are, and which of their rows went with their days.

use sqlx::{PgConnection, Result};

use crate::chain::{Anchor, Hash, Head};

/// The head of a task's chain, which nobody else can continue before the transaction ends. A task that is new begins
/// one for this person. Waits for others 2 s at most, here and later in the transaction.
pub(crate) async fn lock(connection: &mut PgConnection, task_id: i64, user_id: &str) -> Result<Head> {
    // An update that changes nothing locks the row and returns it, in one round trip for new tasks and old; the limit
    // is set on the way, before the row is locked.
    sqlx::query_as!(
        Head,
        r#"insert into audit.chain as it (task_id, user_id, position, hash)
        select $1, $2, 0, $3 from set_config('lock_timeout', '2s', true)
        on conflict on constraint chain_pkey do update set position = it.position
        returning task_id, user_id, position, hash as "hash: Hash""#,
        task_id,
        user_id,
        Hash::START as Hash,
    )
    .fetch_one(connection)
    .await
}

/// The head of the chain of this person's task.
pub(crate) async fn find(connection: &mut PgConnection, task_id: i64, user_id: &str) -> Result<Option<Head>> {
    sqlx::query_as!(
        Head,
        r#"select task_id, user_id, position, hash as "hash: Hash" from audit.chain
        where task_id = $1 and user_id = $2"#,
        task_id,
        user_id,
    )
    .fetch_optional(connection)
    .await
}

/// The tasks of this person that have a chain, from the first behind `after`, in order.
pub(crate) async fn tasks_of(connection: &mut PgConnection, user_id: &str, after: i64, limit: i64) -> Result<Vec<i64>> {
    sqlx::query_scalar!(
        "select task_id from audit.chain where user_id = $1 and task_id > $2 order by task_id limit $3",
        user_id,
        after,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// The heads of all chains, from the first behind `after`, in order.
pub(crate) async fn heads(connection: &mut PgConnection, after: i64, limit: i64) -> Result<Vec<Head>> {
    sqlx::query_as!(
        Head,
        r#"select task_id, user_id, position, hash as "hash: Hash" from audit.chain
        where task_id > $1 order by task_id limit $2"#,
        after,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// What dropped days left of the chains behind `after` up to `through`, in order.
pub(crate) async fn anchors(connection: &mut PgConnection, after: i64, through: i64) -> Result<Vec<Anchor>> {
    sqlx::query_as!(
        Anchor,
        r#"select task_id, first_position, last_position, previous_hash as "previous_hash: Hash",
            last_hash as "last_hash: Hash"
        from audit.anchor
        where task_id > $1 and task_id <= $2
        order by task_id, first_position"#,
        after,
        through,
    )
    .fetch_all(connection)
    .await
}
