//! What people see of their reminders.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// One generation of a reminder.
#[derive(Clone, Debug)]
pub(crate) struct EntryRow {
    pub(crate) id: Uuid,
    pub(crate) generation: i32,
    pub(crate) task_id: i64,
    pub(crate) title: String,
    pub(crate) asked_at: Instant,
    pub(crate) remind_at: Instant,
    pub(crate) state: String,
    pub(crate) cause: Option<String>,
    pub(crate) planned_at: Instant,
    pub(crate) claimed_at: Option<Instant>,
    pub(crate) claimed_by: Option<String>,
    pub(crate) delivered_at: Option<Instant>,
    pub(crate) ended_at: Option<Instant>,
}

/// A delivery of one of them.
#[derive(Clone, Debug)]
pub(crate) struct DeliveryRow {
    pub(crate) reminder_id: Uuid,
    pub(crate) generation: i32,
    pub(crate) kind: String,
    pub(crate) channel_id: Option<Uuid>,
    pub(crate) state: String,
    pub(crate) attempts: i32,
    pub(crate) in_doubt: i64,
    pub(crate) next_at: Instant,
    pub(crate) detail: Option<String>,
    pub(crate) ended_at: Option<Instant>,
}

/// Which reminders are asked for. What is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) states: Option<Vec<String>>,
    pub(crate) task_id: Option<i64>,
    pub(crate) from: Option<Instant>,
    pub(crate) until: Option<Instant>,
    /// Behind this place, in the order of the ledger.
    pub(crate) behind: Option<(Instant, Uuid, i32)>,
}

/// Reminders of a person, the latest first.
pub(crate) async fn entries(
    connection: &mut PgConnection,
    user_id: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<EntryRow>> {
    let (at, id, generation) = match filter.behind {
        Some((at, id, generation)) => (Some(at), Some(id), Some(generation)),
        None => (None, None, None),
    };
    sqlx::query_as!(
        EntryRow,
        "select it.id, it.generation, it.task_id, task.title, it.asked_at, it.remind_at, it.state, it.cause,
            it.planned_at, it.claimed_at, it.claimed_by, it.delivered_at, it.ended_at
        from notification.reminder as it join notification.task as task on task.task_id = it.task_id
        where it.user_id = $1
            and ($2::text[] is null or it.state = any($2))
            and ($3::bigint is null or it.task_id = $3)
            and ($4::timestamptz is null or it.remind_at >= $4)
            and ($5::timestamptz is null or it.remind_at < $5)
            and ($6::timestamptz is null or (it.remind_at, it.id, it.generation) < ($6, $7::uuid, $8::integer))
        order by it.remind_at desc, it.id desc, it.generation desc
        limit $9",
        user_id,
        filter.states.as_deref(),
        filter.task_id,
        filter.from as Option<Instant>,
        filter.until as Option<Instant>,
        at as Option<Instant>,
        id,
        generation,
        limit,
    )
    .fetch_all(connection)
    .await
}

/// The latest generation of a person's reminder.
pub(crate) async fn latest(connection: &mut PgConnection, user_id: &str, id: Uuid) -> Result<Option<EntryRow>> {
    sqlx::query_as!(
        EntryRow,
        "select it.id, it.generation, it.task_id, task.title, it.asked_at, it.remind_at, it.state, it.cause,
            it.planned_at, it.claimed_at, it.claimed_by, it.delivered_at, it.ended_at
        from notification.reminder as it join notification.task as task on task.task_id = it.task_id
        where it.user_id = $1 and it.id = $2
        order by it.generation desc
        limit 1",
        user_id,
        id,
    )
    .fetch_optional(connection)
    .await
}

/// The deliveries of these reminders, of all their generations.
pub(crate) async fn deliveries(connection: &mut PgConnection, reminders: &[Uuid]) -> Result<Vec<DeliveryRow>> {
    sqlx::query_as!(
        DeliveryRow,
        r#"select it.reminder_id, it.generation, it.kind, it.channel_id, it.state, it.attempts, it.next_at, it.detail,
            it.ended_at,
            (
                select count(*) from notification.delivery_attempt as attempt
                where attempt.delivery_id = it.id and attempt.outcome = 'in_doubt'
            ) as "in_doubt!"
        from notification.delivery as it
        where it.reminder_id = any($1)
        order by it.reminder_id, it.generation, it.kind, it.id"#,
        reminders,
    )
    .fetch_all(connection)
    .await
}
