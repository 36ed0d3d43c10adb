//! Letters: kept, listed, shown, settled.

use event_bus::record::RecordPlace;
use serde_json::Value;
use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};
use uuid::Uuid;

use crate::letter::Letter;

/// Keeps a letter; false when it is there already.
pub(crate) async fn add(connection: &mut PgConnection, letter: &Letter, place: &RecordPlace) -> Result<bool> {
    let envelope = &letter.envelope;
    let added = sqlx::query!(
        "insert into dlq.dead_letter (id, origin, place_topic, place_partition, place_offset, fingerprint,
            origin_partition, origin_offset, origin_timestamp, line_offset, key, value, headers, omitted_bytes, reason,
            detail, fault, group_id, attempts, consumer, first_seen, event_id, source, event_type, task_id, version,
            trace_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
            coalesce((
                select earlier.line_offset from dlq.dead_letter as earlier
                where earlier.event_id = $21 and earlier.source = $22 and earlier.origin = $2
                    and earlier.consumer is not distinct from $19
                order by earlier.id limit 1
            ), $8),
            $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
        on conflict (place_topic, place_partition, place_offset, fingerprint) do nothing",
        Uuid::now_v7(),
        letter.origin,
        place.topic,
        place.partition,
        place.offset,
        letter.fingerprint,
        letter.origin_partition,
        letter.origin_offset,
        letter.origin_timestamp.map(Instant) as Option<Instant>,
        letter.key,
        letter.value,
        letter.headers,
        letter.omitted_bytes,
        letter.reason,
        letter.detail,
        letter.fault,
        letter.group_id,
        letter.attempts,
        letter.consumer,
        Instant(letter.first_seen) as Instant,
        envelope.event_id,
        envelope.source,
        envelope.event_type,
        envelope.task_id,
        envelope.version,
        envelope.trace_id,
    )
    .execute(connection)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Which letters are meant. What is `None` does not matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) ids: Option<Vec<Uuid>>,
    pub(crate) origin: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) consumer: Option<String>,
    pub(crate) event_type: Option<String>,
    pub(crate) task_id: Option<i64>,
    pub(crate) event_id: Option<Uuid>,
}

/// A letter without what is large.
#[derive(Clone, Debug)]
pub(crate) struct HeadRow {
    pub(crate) id: Uuid,
    pub(crate) origin: String,
    pub(crate) state: String,
    pub(crate) group_id: String,
    pub(crate) reason: String,
    pub(crate) detail: String,
    pub(crate) consumer: Option<String>,
    pub(crate) attempts: Option<i32>,
    pub(crate) event_id: Option<Uuid>,
    pub(crate) event_type: Option<String>,
    pub(crate) task_id: Option<i64>,
    pub(crate) version: Option<i64>,
    pub(crate) trace_id: Option<String>,
    pub(crate) first_seen: Instant,
    pub(crate) arrived_at: Instant,
    pub(crate) resolved_at: Option<Instant>,
    pub(crate) size_bytes: i64,
}

/// The letters in this state (or in any) behind this one, the oldest first.
pub(crate) async fn page(
    connection: &mut PgConnection,
    filter: &Filter,
    state: Option<&str>,
    behind: Option<Uuid>,
    limit: i64,
) -> Result<Vec<HeadRow>> {
    sqlx::query_as!(
        HeadRow,
        r#"select id, origin, state, group_id, reason, detail, consumer, attempts, event_id, event_type, task_id, version,
            trace_id, first_seen, arrived_at, resolved_at,
            coalesce(omitted_bytes, octet_length(value), 0) as "size_bytes!"
        from dlq.dead_letter
        where ($1::text is null or state = $1)
            and ($2::uuid is null or id > $2)
            and ($3::uuid[] is null or id = any($3))
            and ($4::text is null or origin = $4)
            and ($5::text is null or group_id = $5)
            and ($6::text is null or reason = $6)
            and ($7::text is null or consumer = $7)
            and ($8::text is null or event_type = $8)
            and ($9::bigint is null or task_id = $9)
            and ($10::uuid is null or event_id = $10)
        order by id
        limit $11"#,
        state,
        behind,
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
    .fetch_all(connection)
    .await
}

/// The rest of a letter.
#[derive(Clone, Debug)]
pub(crate) struct BodyRow {
    pub(crate) place_topic: String,
    pub(crate) place_partition: i32,
    pub(crate) place_offset: i64,
    pub(crate) origin_partition: Option<i32>,
    pub(crate) origin_offset: Option<i64>,
    pub(crate) origin_timestamp: Option<Instant>,
    pub(crate) source: Option<String>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Value,
    pub(crate) omitted_bytes: Option<i64>,
}

/// The rest of a letter.
pub(crate) async fn body(connection: &mut PgConnection, id: Uuid) -> Result<Option<BodyRow>> {
    sqlx::query_as!(
        BodyRow,
        "select place_topic, place_partition, place_offset, origin_partition, origin_offset, origin_timestamp, source, key,
            value, headers, omitted_bytes
        from dlq.dead_letter where id = $1",
        id,
    )
    .fetch_optional(connection)
    .await
}

/// What actions made of a letter.
#[derive(Clone, Debug)]
pub(crate) struct HistoryRow {
    pub(crate) action_id: Uuid,
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) note: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) at: Option<Instant>,
}

/// What actions made of a letter, the oldest first.
pub(crate) async fn history(connection: &mut PgConnection, id: Uuid) -> Result<Vec<HistoryRow>> {
    sqlx::query_as!(
        HistoryRow,
        "select it.action_id, action.kind, action.actor, action.note, it.outcome, it.detail, it.at
        from dlq.action_item as it join dlq.action as action on action.id = it.action_id
        where it.letter_id = $1 order by it.action_id limit 100",
        id,
    )
    .fetch_all(connection)
    .await
}

/// Ends a letter; false when it does not wait.
pub(crate) async fn settle(connection: &mut PgConnection, id: Uuid, state: &str) -> Result<bool> {
    let settled = sqlx::query!(
        "update dlq.dead_letter set state = $2, resolved_at = clock_timestamp() where id = $1 and state = 'waiting'",
        id,
        state,
    )
    .execute(connection)
    .await?;
    Ok(settled.rows_affected() == 1)
}

/// Removes letters that came to their end so long ago; says how many.
pub(crate) async fn forget(connection: &mut PgConnection, seconds: f64, limit: i64) -> Result<u64> {
    let forgotten = sqlx::query!(
        "delete from dlq.dead_letter where id in (
            select id from dlq.dead_letter where resolved_at < now() - make_interval(secs => $1)
            order by resolved_at limit $2
        )",
        seconds,
        limit,
    )
    .execute(connection)
    .await?;
    Ok(forgotten.rows_affected())
}
