//! Reminders on their way through channels.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// A channel that a reminder goes to.
#[derive(Clone, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) id: Uuid,
    pub(crate) reminder_id: Uuid,
    pub(crate) generation: i32,
    pub(crate) channel_id: Option<Uuid>,
    pub(crate) kind: String,
    /// When it may be sent first: later than now where the person wants quiet.
    pub(crate) next_at: Instant,
}

/// A delivery that a courier has taken, with all that the message tells.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) id: Uuid,
    pub(crate) reminder_id: Uuid,
    pub(crate) generation: i32,
    pub(crate) channel_id: Uuid,
    pub(crate) attempt: i32,
    pub(crate) user_id: String,
    pub(crate) task_id: i64,
    pub(crate) title: String,
    pub(crate) due_at: Option<Instant>,
    pub(crate) remind_at: Instant,
    pub(crate) time_zone: String,
    pub(crate) kind: String,
    pub(crate) target: serde_json::Value,
    pub(crate) secret: Option<String>,
}

/// A delivery whose attempt has no outcome.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) id: Uuid,
    pub(crate) kind: String,
    pub(crate) in_doubt: bool,
}

/// Adds deliveries that wait for a courier.
pub(crate) async fn add(connection: &mut PgConnection, new: &NewDelivery) -> Result<()> {
    sqlx::query!(
        "insert into notification.delivery (id, reminder_id, generation, channel_id, kind, state, next_at)
        values ($1, $2, $3, $4, $5, 'pending', $6)
        on conflict on constraint delivery_once do nothing",
        new.id,
        new.reminder_id,
        new.generation,
        new.channel_id,
        new.kind,
        new.next_at as Instant,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Delivers in the application, which is done by being there: the delivery and the end of the locked reminder, in one
/// round trip. Gives the instant that it was meant for, and now.
pub(crate) async fn deliver_in_app(
    connection: &mut PgConnection,
    reminder_id: Uuid,
    generation: i32,
) -> Result<Option<(Instant, Instant)>> {
    let delivered = sqlx::query!(
        r#"with delivered as (
            insert into notification.delivery
                (id, reminder_id, generation, kind, state, attempts, next_at, ended_at)
            values ($1, $2, $3, 'in_app', 'delivered', 1, now(), clock_timestamp())
            on conflict on constraint delivery_once do nothing
            returning id
        ), noted as (
            insert into notification.delivery_attempt (delivery_id, number, ended_at, outcome)
            select id, 1, clock_timestamp(), 'delivered' from delivered
        )
        update notification.reminder
        set state = 'delivered', delivered_at = clock_timestamp(), ended_at = clock_timestamp()
        where id = $2 and generation = $3 and state in ('due', 'attempted')
        returning remind_at, delivered_at as "delivered_at!""#,
        Uuid::now_v7(),
        reminder_id,
        generation,
    )
    .fetch_optional(connection)
    .await?;
    Ok(delivered.map(|row| (row.remind_at, row.delivered_at)))
}

/// Deliveries whose time has come, the longest waiting first, locked with their reminders. Among them those of couriers
/// that died. What somebody else has locked is left to them: so nobody who locks reminders first is ever waited for.
pub(crate) async fn lock_ready(connection: &mut PgConnection, limit: i64) -> Result<Vec<Ready>> {
    sqlx::query_as!(
        Ready,
        r#"select it.id, it.kind, it.state = 'attempting' as "in_doubt!"
        from notification.delivery as it
            join notification.reminder as reminder
                on reminder.id = it.reminder_id and reminder.generation = it.generation
        where it.state in ('pending', 'attempting') and it.next_at <= now()
        order by it.next_at
        limit $1
        for update skip locked"#,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// Notes that nobody knows what became of the last attempts of these.
pub(crate) async fn doubt(connection: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "update notification.delivery_attempt set ended_at = clock_timestamp(), outcome = 'in_doubt'
        where delivery_id = any($1) and outcome is null",
        ids,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends those of the locked deliveries that are wanted no more: cancelled, or their channel is gone.
pub(crate) async fn drop_unwanted(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "update notification.delivery as it set state = 'superseded', ended_at = now()
        where it.id = any($1)
            and (it.cancelled or not exists (
                select from notification.channel as channel
                where channel.id = it.channel_id and channel.retired_at is null and channel.enabled
            ))
        returning it.id",
        ids,
    )
    .fetch_all(connection)
    .await
}

/// Takes these deliveries for an attempt that is lost after so many seconds, and notes each attempt.
pub(crate) async fn take(connection: &mut PgConnection, ids: &[Uuid], lease_seconds: f64) -> Result<Vec<Taken>> {
    sqlx::query_as!(
        Taken,
        r#"with taken as (
            update notification.delivery
            set state = 'attempting', attempts = attempts + 1, next_at = now() + make_interval(secs => $2)
            where id = any($1)
            returning id, reminder_id, generation, channel_id, attempts
        ), noted as (
            insert into notification.delivery_attempt (delivery_id, number) select id, attempts from taken
        )
        select taken.id, taken.reminder_id, taken.generation, channel.id as channel_id, taken.attempts as attempt,
            reminder.user_id, reminder.task_id, task.title, task.due_at, reminder.remind_at, task.time_zone,
            channel.kind, channel.target, channel.secret
        from taken
            join notification.channel as channel on channel.id = taken.channel_id
            join notification.reminder as reminder
                on reminder.id = taken.reminder_id and reminder.generation = taken.generation
            join notification.task as task on task.task_id = reminder.task_id"#,
        ids,
        lease_seconds,
    )
    .fetch_all(connection)
    .await
}

/// What came back from a provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark<'a> {
    pub(crate) delivery: Uuid,
    pub(crate) attempt: i32,
    /// Of the attempt.
    pub(crate) outcome: &'static str,
    /// Of the delivery; `pending` where it is tried again.
    pub(crate) state: &'static str,
    /// What the provider said.
    pub(crate) detail: &'a str,
    /// Until the next attempt.
    pub(crate) wait_seconds: f64,
}

/// Notes the outcome of an attempt. False when another courier has taken the delivery meanwhile.
pub(crate) async fn mark(connection: &mut PgConnection, mark: Mark<'_>) -> Result<bool> {
    sqlx::query!(
        "update notification.delivery_attempt set ended_at = clock_timestamp(), outcome = $3, detail = $4
        where delivery_id = $1 and number = $2 and outcome is null",
        mark.delivery,
        mark.attempt,
        mark.outcome,
        mark.detail,
    )
    .execute(&mut *connection)
    .await?;
    let marked = sqlx::query!(
        "update notification.delivery
        set state = case when $3 = 'pending' and cancelled then 'superseded' else $3 end,
            detail = $4,
            next_at = clock_timestamp() + make_interval(secs => $5),
            ended_at = case when $3 = 'pending' and not cancelled then null else clock_timestamp() end
        where id = $1 and attempts = $2 and state = 'attempting'",
        mark.delivery,
        mark.attempt,
        mark.state,
        mark.detail,
        mark.wait_seconds,
    )
    .execute(connection)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Stops what is still to be sent of the whole task.
pub(crate) async fn cancel_of_task(connection: &mut PgConnection, task_id: i64) -> Result<()> {
    sqlx::query!(
        "update notification.delivery as it
        set cancelled = true,
            state = case it.state when 'pending' then 'superseded' else it.state end,
            ended_at = case it.state when 'pending' then now() end
        from notification.reminder as reminder
        where reminder.task_id = $1 and reminder.id = it.reminder_id and reminder.generation = it.generation
            and it.state in ('pending', 'attempting')",
        task_id,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Stops what is still to be sent of one generation.
pub(crate) async fn cancel_of_reminder(connection: &mut PgConnection, id: Uuid, generation: i32) -> Result<()> {
    sqlx::query!(
        "update notification.delivery
        set cancelled = true,
            state = case state when 'pending' then 'superseded' else state end,
            ended_at = case state when 'pending' then now() end
        where reminder_id = $1 and generation = $2 and state in ('pending', 'attempting')",
        id,
        generation,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Seconds until the next delivery may be sent; negative when it is past.
pub(crate) async fn next_in_seconds(connection: &mut PgConnection) -> Result<Option<f64>> {
    sqlx::query_scalar!(
        "select extract(epoch from min(next_at) - clock_timestamp())::float8 from notification.delivery
        where state in ('pending', 'attempting')",
    )
    .fetch_one(connection)
    .await
}
