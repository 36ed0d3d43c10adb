//! The letters of an action.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// A letter that is to be dealt with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextRow {
    pub(crate) position: i32,
    pub(crate) letter_id: Uuid,
}

/// The next letters of an action.
pub(crate) async fn next(connection: &mut PgConnection, action: Uuid, limit: i64) -> Result<Vec<NextRow>> {
    sqlx::query_as!(
        NextRow,
        "select position, letter_id from dlq.action_item where action_id = $1 and outcome is null
        order by position limit $2",
        action,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Notes what became of a letter.
pub(crate) async fn note(
    connection: &mut PgConnection,
    action: Uuid,
    position: i32,
    outcome: &str,
    detail: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "update dlq.action_item set outcome = $3, detail = $4, at = clock_timestamp()
        where action_id = $1 and position = $2",
        action,
        position,
        outcome,
        detail,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// What became of a letter in an action.
#[derive(Clone, Debug)]
pub(crate) struct ItemRow {
    pub(crate) letter_id: Uuid,
    pub(crate) outcome: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) at: Option<Instant>,
}

/// What became of the letters of an action: first those that did not go back, then the others in their order.
pub(crate) async fn of_action(connection: &mut PgConnection, action: Uuid, limit: i64) -> Result<Vec<ItemRow>> {
    sqlx::query_as!(
        ItemRow,
        "select letter_id, outcome, detail, at from dlq.action_item where action_id = $1
        order by outcome is null or outcome in ('replayed', 'discarded'), position limit $2",
        action,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Ends the letters of an action that still wait, all at once, and notes it; says how many of each origin.
pub(crate) async fn discard_all(connection: &mut PgConnection, action: Uuid) -> Result<Vec<(String, i64)>> {
    let discarded = sqlx::query!(
        r#"with locked as (
            select letter.id from dlq.dead_letter as letter
            join dlq.action_item as it on it.letter_id = letter.id
            where it.action_id = $1 and letter.state = 'waiting'
            order by letter.id for update of letter
        ), discarded as (
            update dlq.dead_letter as letter set state = 'discarded', resolved_at = clock_timestamp()
            from locked where letter.id = locked.id
            returning letter.id, letter.origin
        ), noted as (
            update dlq.action_item as it
            set at = clock_timestamp(), outcome = case when discarded.id is null then 'settled' else 'discarded' end
            from dlq.action_item as own left join discarded on discarded.id = own.letter_id
            where own.action_id = $1 and it.action_id = $1 and it.position = own.position
        )
        select origin, count(*) as "count!" from discarded group by origin"#,
        action,
    )
    .fetch_all(connection)
    .await?;
    Ok(discarded.into_iter().map(|row| (row.origin, row.count)).collect())
}

/// Letters of an action with this outcome.
pub(crate) async fn count(connection: &mut PgConnection, action: Uuid, outcome: &str) -> Result<i64> {
    let counted = sqlx::query!(
        r#"select count(*) as "count!" from dlq.action_item where action_id = $1 and outcome = $2"#,
        action,
        outcome,
    )
    .fetch_one(connection)
    .await?;
    Ok(counted.count)
}
