//! Actions: what operators asked for, and how far it has come.

use serde_json::Value;
use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use super::letters::Filter;

/// A new action.
#[derive(Clone, Debug)]
pub(crate) struct NewAction<'a> {
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) actor: &'a str,
    pub(crate) correlation_id: &'a str,
    pub(crate) asked: Value,
    pub(crate) note: Option<&'a str>,
    /// Letters a second at the most, of a replay.
    pub(crate) rate_per_second: Option<i32>,
    pub(crate) again: bool,
}

/// Begins an action with no letters yet.
pub(crate) async fn add(connection: &mut PgConnection, action: &NewAction<'_>) -> Result<()> {
    sqlx::query!(
        "insert into dlq.action (id, kind, actor, correlation_id, asked, note, selected, state, rate_per_second, pace,
            next_at, again)
        values ($1, $2, $3, $4, $5, $6, 0, 'running', $7, case when $7::integer is not null then 1 end,
            case when $7::integer is not null then clock_timestamp() end, $8)",
        action.id,
        action.kind,
        action.actor,
        action.correlation_id,
        action.asked,
        action.note,
        action.rate_per_second,
        action.again,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Chooses the letters of an action among those that wait: in the order of their lines, so many at the most. Says how
/// many.
pub(crate) async fn choose(connection: &mut PgConnection, action: Uuid, filter: &Filter, limit: i64) -> Result<i32> {
    let chosen = sqlx::query!(
        "insert into dlq.action_item (action_id, position, letter_id)
        select $1, row_number() over (order by coalesce(line_offset, 9223372036854775807), id), id
        from dlq.dead_letter
        where state = 'waiting'
            and ($2::uuid[] is null or id = any($2))
            and ($3::text is null or origin = $3)
            and ($4::text is null or group_id = $4)
            and ($5::text is null or reason = $5)
            and ($6::text is null or consumer = $6)
            and ($7::text is null or event_type = $7)
            and ($8::bigint is null or task_id = $8)
            and ($9::uuid is null or event_id = $9)
        order by coalesce(line_offset, 9223372036854775807), id
        limit $10",
        action,
        filter.ids.as_deref(),
        filter.origin,
        filter.group,
        filter.reason,
        filter.consumer,
        filter.event_type,
        filter.task_id,
        filter.event_id,
        limit,
    )
    .execute(&mut *connection)
    .await?;
    let chosen = i32::try_from(chosen.rows_affected()).unwrap_or(i32::MAX);
    sqlx::query!("update dlq.action set selected = $2 where id = $1", action, chosen)
        .execute(connection)
        .await?;
    Ok(chosen)
}

/// Ends an action and counts what became of its letters; false when it does not run. Waits for a step that is being taken.
pub(crate) async fn end(
    connection: &mut PgConnection,
    action: Uuid,
    state: &str,
    detail: Option<&str>,
) -> Result<bool> {
    let ended = sqlx::query!(
        "update dlq.action set state = $2, detail = $3, ended_at = clock_timestamp(), outcomes = coalesce((
            select jsonb_object_agg(it.outcome, it.letters)
            from (
                select outcome, count(*) as letters from dlq.action_item
                where action_id = $1 and outcome is not null group by outcome
            ) as it
        ), '{}')
        where id = $1 and state = 'running'",
        action,
        state,
        detail,
    )
    .execute(connection)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// Ends an action whose letters were left as they are, with these counts.
pub(crate) async fn end_with(
    connection: &mut PgConnection,
    action: Uuid,
    selected: i32,
    outcomes: Value,
) -> Result<()> {
    sqlx::query!(
        "update dlq.action set state = 'done', ended_at = clock_timestamp(), selected = $2, outcomes = $3 where id = $1",
        action,
        selected,
        outcomes,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// An action.
#[derive(Clone, Debug)]
pub(crate) struct ActionRow {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) begun_at: Instant,
    pub(crate) ended_at: Option<Instant>,
    pub(crate) asked: Value,
    pub(crate) note: Option<String>,
    pub(crate) selected: i32,
    pub(crate) state: String,
    pub(crate) detail: Option<String>,
    pub(crate) rate_per_second: Option<i32>,
    pub(crate) again: bool,
    pub(crate) outcomes: Value,
}

/// One action; its outcomes as they are now.
pub(crate) async fn find(connection: &mut PgConnection, id: Uuid) -> Result<Option<ActionRow>> {
    sqlx::query_as!(
        ActionRow,
        r#"select id, kind, actor, begun_at, ended_at, asked, note, selected, state, detail, rate_per_second, again,
            case when state = 'running' then coalesce((
                select jsonb_object_agg(it.outcome, it.letters)
                from (
                    select outcome, count(*) as letters from dlq.action_item
                    where action_id = $1 and outcome is not null group by outcome
                ) as it
            ), '{}') else outcomes end as "outcomes!"
        from dlq.action where id = $1"#,
        id,
    )
    .fetch_optional(connection)
    .await
}

/// The actions before this one, the latest first.
pub(crate) async fn page(connection: &mut PgConnection, before: Option<Uuid>, limit: i64) -> Result<Vec<ActionRow>> {
    sqlx::query_as!(
        ActionRow,
        "select id, kind, actor, begun_at, ended_at, asked, note, selected, state, detail, rate_per_second, again, outcomes
        from dlq.action where $1::uuid is null or id < $1
        order by id desc limit $2",
        before,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// A replay whose turn it is.
#[derive(Clone, Debug)]
pub(crate) struct TurnRow {
    pub(crate) id: Uuid,
    pub(crate) rate_per_second: i32,
    pub(crate) pace: i32,
    pub(crate) again: bool,
    pub(crate) wait_seconds: f64,
}

/// The oldest replay that runs, locked; `None` when there is none, or when another replica is at it.
pub(crate) async fn take_turn(connection: &mut PgConnection) -> Result<Option<TurnRow>> {
    sqlx::query_as!(
        TurnRow,
        r#"select id, rate_per_second as "rate_per_second!", pace as "pace!", again,
            extract(epoch from next_at - clock_timestamp())::float8 as "wait_seconds!"
        from dlq.action
        where id = (select id from dlq.action where state = 'running' order by id limit 1)
        for update skip locked"#,
    )
    .fetch_optional(connection)
    .await
}

/// When the next step of a replay is, and how many letters it takes.
pub(crate) async fn pace(connection: &mut PgConnection, action: Uuid, pace: i32, seconds: f64) -> Result<()> {
    sqlx::query!(
        "update dlq.action set pace = $2, next_at = clock_timestamp() + make_interval(secs => $3) where id = $1",
        action,
        pace,
        seconds,
    )
    .execute(connection)
    .await?;
    Ok(())
}
