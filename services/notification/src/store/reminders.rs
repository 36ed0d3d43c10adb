//! Reminders on their way from planned to seen.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use crate::plan::{Ending, State};

/// The latest generation of a reminder.
#[derive(Clone, Debug)]
pub(crate) struct LatestRow {
    pub(crate) id: Uuid,
    pub(crate) generation: i32,
    pub(crate) spec: String,
    pub(crate) asked_at: Instant,
    pub(crate) state: String,
}

/// A generation that begins.
#[derive(Clone, Debug)]
pub(crate) struct NewRow<'a> {
    pub(crate) id: Uuid,
    pub(crate) generation: i32,
    pub(crate) task_id: i64,
    pub(crate) user_id: &'a str,
    pub(crate) spec: &'a str,
    pub(crate) asked_at: Instant,
    pub(crate) remind_at: Instant,
    pub(crate) task_version: i64,
    pub(crate) correlation_id: &'a str,
    /// Why it ends at once, where it does.
    pub(crate) ending: Option<Ending>,
}

/// A planned reminder whose time has come, and what its event tells.
#[derive(Clone, Debug)]
pub(crate) struct DueRow {
    pub(crate) id: Uuid,
    pub(crate) generation: i32,
    pub(crate) task_id: i64,
    pub(crate) user_id: String,
    pub(crate) remind_at: Instant,
    pub(crate) version: i64,
    pub(crate) title: String,
    pub(crate) due_at: Option<Instant>,
    pub(crate) correlation_id: String,
}

/// A reminder that an event tells of.
#[derive(Clone, Debug)]
pub(crate) struct ToldRow {
    pub(crate) id: Uuid,
    pub(crate) generation: i32,
    pub(crate) user_id: String,
    pub(crate) state: String,
    /// Where the person lives.
    pub(crate) time_zone: String,
}

/// The latest generation of each reminder of the locked task.
pub(crate) async fn latest(connection: &mut PgConnection, task_id: i64) -> Result<Vec<LatestRow>> {
    sqlx::query_as!(
        LatestRow,
        "select distinct on (spec) id, generation, spec, asked_at, state from notification.reminder
        where task_id = $1
        order by spec, generation desc",
        task_id,
    )
    .fetch_all(connection)
    .await
}

/// Begins a generation. False when it is there already.
pub(crate) async fn begin(connection: &mut PgConnection, row: &NewRow<'_>) -> Result<bool> {
    let state = if row.ending.is_some() {
        State::Expired
    } else {
        State::Planned
    };
    let begun = sqlx::query!(
        "insert into notification.reminder (id, generation, task_id, user_id, spec, asked_at, remind_at, state, cause,
            task_version, correlation_id, ended_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, case when $9::text is not null then now() end)
        on conflict on constraint reminder_spec_once do nothing",
        row.id,
        row.generation,
        row.task_id,
        row.user_id,
        row.spec,
        row.asked_at as Instant,
        row.remind_at as Instant,
        state.as_str(),
        row.ending.map(Ending::as_str),
        row.task_version,
        row.correlation_id,
    )
    .execute(connection)
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// Ends an open generation that is no longer wanted. False when it is open no more.
pub(crate) async fn supersede(
    connection: &mut PgConnection,
    id: Uuid,
    generation: i32,
    ending: Ending,
) -> Result<bool> {
    let ended = sqlx::query!(
        "update notification.reminder set state = 'superseded', cause = $3, ended_at = now()
        where id = $1 and generation = $2 and state in ('planned', 'due', 'attempted')",
        id,
        generation,
        ending.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(ended.rows_affected() == 1)
}

/// Planned reminders whose time came this many seconds ago or earlier, the earliest first, with their tasks locked. What
/// somebody else has locked is left to them, and what is too late is left to expire.
pub(crate) async fn lock_due(
    connection: &mut PgConnection,
    since_seconds: f64,
    too_late_seconds: f64,
    limit: i64,
) -> Result<Vec<DueRow>> {
    sqlx::query_as!(
        DueRow,
        "select it.id, it.generation, it.task_id, it.user_id, it.remind_at, task.version, task.title, task.due_at,
            it.correlation_id
        from notification.reminder as it join notification.task as task on task.task_id = it.task_id
        where it.state = 'planned' and it.remind_at <= now() - make_interval(secs => $1)
            and it.remind_at >= now() - make_interval(secs => $2)
        order by it.remind_at
        limit $3
        for update skip locked",
        since_seconds,
        too_late_seconds,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// The one update that claims: what is still planned becomes due, with the id of its event. Gives those that did.
pub(crate) async fn claim(
    connection: &mut PgConnection,
    claimer: &str,
    ids: &[Uuid],
    generations: &[i32],
    event_ids: &[Uuid],
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        r#"update notification.reminder as it
        set state = 'due', claimed_at = now(), claimed_by = $1, event_id = claimed.event_id
        from unnest($2::uuid[], $3::integer[], $4::uuid[]) as claimed (id, generation, event_id)
        where it.id = claimed.id and it.generation = claimed.generation and it.state = 'planned'
        returning claimed.event_id as "event_id!""#,
        claimer,
        ids,
        generations,
        event_ids,
    )
    .fetch_all(connection)
    .await
}

/// Ends planned reminders that are later than this many seconds, and gives how many.
pub(crate) async fn expire_older_than(connection: &mut PgConnection, seconds: f64, limit: i64) -> Result<u64> {
    let expired = sqlx::query!(
        "update notification.reminder as it set state = 'expired', cause = $3, ended_at = now()
        from (
            select id, generation from notification.reminder
            where state = 'planned' and remind_at < now() - make_interval(secs => $1)
            order by remind_at
            limit $2
            for update skip locked
        ) as late
        where it.id = late.id and it.generation = late.generation",
        seconds,
        limit,
        Ending::TooLate.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(expired.rows_affected())
}

/// What the sweeper looks at when it has nothing to claim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook {
    /// Reminders that the sweeper should have claimed.
    pub(crate) overdue: i64,
    /// Seconds until the next one is the sweeper's, as the database counts them; negative when it is past.
    pub(crate) next_in_seconds: Option<f64>,
}

/// What is overdue, and what comes next, for a sweeper that leaves each reminder to others for this many seconds.
pub(crate) async fn outlook(connection: &mut PgConnection, head_start_seconds: f64) -> Result<Outlook> {
    sqlx::query_as!(
        Outlook,
        r#"select
            (
                select count(*) from notification.reminder
                where state = 'planned' and remind_at <= now() - make_interval(secs => $1)
            ) as "overdue!",
            (
                select extract(epoch from min(remind_at) - clock_timestamp())::float8 + $1
                from notification.reminder where state = 'planned'
            ) as next_in_seconds"#,
        head_start_seconds,
    )
    .fetch_one(connection)
    .await
}

/// The reminder that this event tells of, locked.
pub(crate) async fn lock_told(connection: &mut PgConnection, event_id: Uuid) -> Result<Option<ToldRow>> {
    sqlx::query_as!(
        ToldRow,
        "select it.id, it.generation, it.user_id, it.state, task.time_zone
        from notification.reminder as it join notification.task as task on task.task_id = it.task_id,
            set_config('lock_timeout', '2s', true)
        where it.event_id = $1
        for update of it",
        event_id,
    )
    .fetch_optional(connection)
    .await
}

/// Locks one generation, before what hangs on it.
pub(crate) async fn lock(connection: &mut PgConnection, id: Uuid, generation: i32) -> Result<()> {
    sqlx::query!(
        "select from notification.reminder where id = $1 and generation = $2 for update",
        id,
        generation,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that the reminder was seen for the first time. `None` when it was before, or is wanted no more; else the instant
/// that it was meant for, and now.
pub(crate) async fn deliver(
    connection: &mut PgConnection,
    id: Uuid,
    generation: i32,
) -> Result<Option<(Instant, Instant)>> {
    let delivered = sqlx::query!(
        r#"update notification.reminder
        set state = 'delivered', delivered_at = clock_timestamp(), ended_at = clock_timestamp()
        where id = $1 and generation = $2 and state in ('due', 'attempted')
        returning remind_at, delivered_at as "delivered_at!""#,
        id,
        generation,
    )
    .fetch_optional(connection)
    .await?;
    Ok(delivered.map(|row| (row.remind_at, row.delivered_at)))
}

/// Notes that a provider is about to be called. False when one was before.
pub(crate) async fn attempt(connection: &mut PgConnection, id: Uuid, generation: i32) -> Result<bool> {
    let attempted = sqlx::query!(
        "update notification.reminder set state = 'attempted' where id = $1 and generation = $2 and state = 'due'",
        id,
        generation,
    )
    .execute(connection)
    .await?;
    Ok(attempted.rows_affected() == 1)
}

/// Ends a reminder that no channel took and none will any more. False while one still may, or when it has ended.
pub(crate) async fn expire_undeliverable(connection: &mut PgConnection, id: Uuid, generation: i32) -> Result<bool> {
    let expired = sqlx::query!(
        "update notification.reminder set state = 'expired', cause = $3, ended_at = now()
        where id = $1 and generation = $2 and state in ('due', 'attempted')
            and not exists (
                select from notification.delivery
                where reminder_id = $1 and generation = $2 and state in ('pending', 'attempting', 'delivered')
            )",
        id,
        generation,
        Ending::Undeliverable.as_str(),
    )
    .execute(connection)
    .await?;
    Ok(expired.rows_affected() == 1)
}

/// Which reminder of its task it is.
pub(crate) async fn spec(connection: &mut PgConnection, id: Uuid) -> Result<String> {
    sqlx::query_scalar!("select spec from notification.reminder where id = $1 limit 1", id)
        .fetch_one(connection)
        .await
}

/// One planned reminder, with its task locked, when its time has come; a clock may be a second behind. `None` when this
/// generation is no longer planned, not due, or too late.
pub(crate) async fn lock_one(
    connection: &mut PgConnection,
    id: Uuid,
    generation: i32,
    too_late_seconds: f64,
) -> Result<Option<DueRow>> {
    sqlx::query_as!(
        DueRow,
        "select it.id, it.generation, it.task_id, it.user_id, it.remind_at, task.version, task.title, task.due_at,
            it.correlation_id
        from notification.reminder as it join notification.task as task on task.task_id = it.task_id
        where it.id = $1 and it.generation = $2 and it.state = 'planned' and it.remind_at <= now() + interval '1 second'
            and it.remind_at >= now() - make_interval(secs => $3)
        for update skip locked",
        id,
        generation,
        too_late_seconds,
    )
    .fetch_optional(connection)
    .await
}

/// Whether there is or was such a generation.
pub(crate) async fn is_known(connection: &mut PgConnection, id: Uuid, generation: i32) -> Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from notification.reminder where id = $1 and generation = $2) as "known!""#,
        id,
        generation,
    )
    .fetch_one(connection)
    .await
}
