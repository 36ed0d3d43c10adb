//! Counts of letters: every replica finds the same.

use service_kit::database::time::Instant;
use sqlx::{PgConnection, Result};

use super::letters::Filter;

/// What waits of one origin.
#[derive(Clone, Debug)]
pub(crate) struct DepthRow {
    pub(crate) origin: String,
    pub(crate) depth: i64,
    pub(crate) oldest_seconds: f64,
}

/// What waits, by origin; an origin of which nothing waits is missing.
pub(crate) async fn depths(connection: &mut PgConnection) -> Result<Vec<DepthRow>> {
    sqlx::query_as!(
        DepthRow,
        r#"select origin, count(*) as "depth!",
            greatest(0, extract(epoch from clock_timestamp() - min(first_seen)))::float8 as "oldest_seconds!"
        from dlq.dead_letter where state = 'waiting' group by origin"#,
    )
    .fetch_all(connection)
    .await
}

/// What has arrived of one origin, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct FlowRow {
    pub(crate) origin: String,
    pub(crate) arrived_5_minutes: i64,
    pub(crate) arrived_hour: i64,
    pub(crate) arrived_day: i64,
    pub(crate) replayed_day: i64,
    pub(crate) superseded_day: i64,
    pub(crate) discarded_day: i64,
}

/// What has arrived and what was settled during the last day, by origin.
pub(crate) async fn flows(connection: &mut PgConnection) -> Result<Vec<FlowRow>> {
    sqlx::query_as!(
        FlowRow,
        r#"select origin,
            count(*) filter (where arrived_at > now() - interval '5 minutes') as "arrived_5_minutes!",
            count(*) filter (where arrived_at > now() - interval '1 hour') as "arrived_hour!",
            count(*) filter (where arrived_at > now() - interval '1 day') as "arrived_day!",
            count(*) filter (where resolved_at > now() - interval '1 day' and state = 'replayed') as "replayed_day!",
            count(*) filter (where resolved_at > now() - interval '1 day' and state = 'superseded') as "superseded_day!",
            count(*) filter (where resolved_at > now() - interval '1 day' and state = 'discarded') as "discarded_day!"
        from dlq.dead_letter
        where arrived_at > now() - interval '1 day' or resolved_at > now() - interval '1 day'
        group by origin"#,
    )
    .fetch_all(connection)
    .await
}

/// Letters with the same cause.
#[derive(Clone, Debug)]
pub(crate) struct GroupRow {
    pub(crate) group_id: String,
    pub(crate) origin: String,
    pub(crate) consumer: Option<String>,
    pub(crate) reason: String,
    pub(crate) fault: String,
    pub(crate) letters: i64,
    pub(crate) tasks: i64,
    pub(crate) first_seen: Instant,
    pub(crate) latest: Instant,
    pub(crate) example: Option<uuid::Uuid>,
}

/// What waits, by cause; the largest group first.
pub(crate) async fn groups(connection: &mut PgConnection, filter: &Filter, limit: i64) -> Result<Vec<GroupRow>> {
    sqlx::query_as!(
        GroupRow,
        r#"select group_id, min(origin) as "origin!", min(consumer) as consumer, min(reason) as "reason!",
            min(fault) as "fault!", count(*) as "letters!", count(distinct task_id) as "tasks!",
            min(first_seen) as "first_seen!", max(arrived_at) as "latest!",
            (array_agg(id order by id))[1] as example
        from dlq.dead_letter
        where state = 'waiting'
            and ($1::text is null or origin = $1)
            and ($2::text is null or reason = $2)
            and ($3::text is null or consumer = $3)
        group by group_id
        order by count(*) desc, group_id
        limit $4"#,
        filter.origin,
        filter.reason,
        filter.consumer,
        limit,
    )
    .fetch_all(connection)
    .await
}
