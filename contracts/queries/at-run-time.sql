-- Queries whose text is made at run time, as they reach PostgreSQL: sqlx does not see them when it compiles. A test
-- compares them with the sources.

-- crates/outbox/src/append.rs
insert into chat.outbox (id, aggregatetype, aggregateid, type, payload, traceparent, slot)
select id, aggregatetype, aggregateid, type, payload, traceparent, slot
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::smallint[])
    with ordinality as event (id, aggregatetype, aggregateid, type, payload, traceparent, slot, number)
where pg_current_xact_id() is not null
order by number;

-- crates/outbox/src/relay/session.rs
select event.slot, event.position, event.id, event.aggregatetype, event.aggregateid, event.type,
    event.payload, event.traceparent, extract(epoch from clock_timestamp() - event.created_at)::float8
from unnest($1::smallint[], $2::bigint[]) as lane (slot, floor)
cross join lateral (
    select *, sum(octet_length(payload)) over (order by position rows unbounded preceding)
        - octet_length(payload) as bytes_before
    from (
        select * from chat.outbox
        where slot = lane.slot and position >= lane.floor and aggregateid <> all ($3)
        order by position limit $4
    ) as next
) as event
where event.bytes_before < $5;

-- crates/outbox/src/relay/session.rs
delete from chat.outbox as event using unnest($1::smallint[], $2::bigint[]) as done (slot, position)
where event.slot = done.slot and event.position = done.position;

-- crates/outbox/src/relay/session.rs
select last_value - (not is_called)::int from chat.outbox_position;

-- crates/outbox/src/relay/session.rs
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint, lane.slot, first.position
from unnest($1::smallint[], $2::bigint[]) as lane (slot, floor)
left join lateral (
    select position from chat.outbox
    where slot = lane.slot and position >= lane.floor order by position limit 1
) as first on true;

-- crates/outbox/src/relay/listener.rs
select count(*)::float8, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8
from chat.outbox;

-- crates/event-bus/src/inbox.rs
insert into recurring.inbox (source, event_id) values ($1, $2) on conflict do nothing;

-- crates/event-bus/src/inbox.rs
delete from recurring.inbox where (source, event_id) in (
    select source, event_id from recurring.inbox
    where received_at < now() - make_interval(secs => $1) order by received_at limit $2
);

-- services/chat-api/src/store/search.rs, of `plants tag:home due:2026-12-01`: one of many
with matched as materialized (select task.id from chat.task as task where task.user_id = $1 and
    (task.plain_words @@ phraseto_tsquery('chat.plain', $2) or task.stems @@ phraseto_tsquery($3::text::regconfig, $2))
    and task.tags @> array[$4::text] and coalesce(task.due_at >= $5::timestamptz, false) and task.status = $6
    and task.priority >= $7::smallint and chat.word_similarity($2, task.title) >= $8::real),
ranked as (select task.id, ts_rank_cd(task.stems, phraseto_tsquery($3::text::regconfig, $2))::real as rank
    from chat.task as task join (select id from matched order by id desc limit $9) as candidate on candidate.id = task.id)
select task.id, user_id, title, description, status, priority, tags, due_kind, due_local, due_zone,
    reminders, recurrence, series, occurrence, ordinal, version, created_at, updated_at, completed_at,
    rank, (select count(*) from matched) > $9 as capped from ranked join chat.task as task on task.id = ranked.id
where (rank, task.id) < ($10::real, $11::bigint) order by rank desc, task.id desc limit $9;
