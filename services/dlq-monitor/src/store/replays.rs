//! What is known of a letter that somebody wants to replay.

use sqlx::{PgConnection, Result};
use uuid::Uuid;

/// What is known of a letter.
#[derive(Clone, Debug)]
pub(crate) struct KnownRow {
    pub(crate) state: String,
    pub(crate) origin: String,
    pub(crate) consumer: Option<String>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) newest: Option<i64>,
    pub(crate) newer_waiting: i64,
    pub(crate) replays: i64,
    pub(crate) before: Option<Uuid>,
}

/// What is known of a letter, which is locked; `None` when it is there no longer.
pub(crate) async fn known(connection: &mut PgConnection, id: Uuid) -> Result<Option<KnownRow>> {
    sqlx::query_as!(
        KnownRow,
        r#"select it.state, it.origin, it.consumer, it.value,
            (select task.version from dlq.task as task where task.task_id = it.task_id) as newest,
            (
                select count(distinct newer.version) from dlq.dead_letter as newer
                where newer.state = 'waiting' and newer.origin = it.origin and newer.key = it.key
                    and newer.task_id = it.task_id and newer.version > it.version
                    and newer.consumer is not distinct from it.consumer
            ) as "newer_waiting!",
            (
                select count(*) from dlq.dead_letter as earlier
                where earlier.event_id = it.event_id and earlier.source = it.source and earlier.id < it.id
                    and earlier.origin = it.origin and earlier.consumer is not distinct from it.consumer
                    and earlier.state = 'replayed'
            ) as "replays!",
            (
                select earlier.id from dlq.dead_letter as earlier
                where earlier.state = 'waiting' and earlier.origin = it.origin and earlier.key = it.key
                    -- What is no event at all was never in line.
                    and earlier.event_id is not null
                    and earlier.consumer is not distinct from it.consumer
                    and (coalesce(earlier.line_offset, 9223372036854775807), earlier.id)
                        < (coalesce(it.line_offset, 9223372036854775807), it.id)
                order by coalesce(earlier.line_offset, 9223372036854775807), earlier.id
                limit 1
            ) as before
        from dlq.dead_letter as it
        where it.id = $1
        for update of it"#,
        id,
    )
    .fetch_optional(connection)
    .await
}

/// Letters that came back although an action had replayed their events.
#[derive(Clone, Debug)]
pub(crate) struct BackRow {
    pub(crate) count: i64,
    pub(crate) origin: Option<String>,
}

/// How many letters came back since an action replayed their events, and from where. A letter that another consumer wrote
/// of the same record is none of them.
pub(crate) async fn came_back(connection: &mut PgConnection, action: Uuid) -> Result<BackRow> {
    sqlx::query_as!(
        BackRow,
        r#"select count(distinct back.id) as "count!", min(back.origin) as origin
        from dlq.action_item as it
        join dlq.dead_letter as replayed on replayed.id = it.letter_id
        join dlq.dead_letter as back on back.event_id = replayed.event_id and back.source = replayed.source
        where it.action_id = $1 and it.outcome = 'replayed' and back.arrived_at > it.at
            and (back.origin_partition, back.origin_offset)
                is distinct from (replayed.origin_partition, replayed.origin_offset)"#,
        action,
    )
    .fetch_one(connection)
    .await
}

/// What the relay has not published.
#[derive(Clone, Debug)]
pub(crate) struct BacklogRow {
    pub(crate) rows: i64,
    pub(crate) oldest_seconds: f64,
}

/// What the relay has not published.
pub(crate) async fn backlog(connection: &mut PgConnection) -> Result<BacklogRow> {
    sqlx::query_as!(
        BacklogRow,
        r#"select count(*) as "rows!",
            coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as "oldest_seconds!"
        from dlq.outbox"#,
    )
    .fetch_one(connection)
    .await
}
