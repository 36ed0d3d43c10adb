-- What chat-api asks PostgreSQL to create a task, statement by statement, in one transaction. A test compares it with the
-- service's own statements: services/chat-api/src/store/{profiles,tasks}.rs, crates/outbox/src/append.rs.
\set user :client_id
begin;
select time_zone, language, channels, version from chat.profile where user_id = :user;
select nextval('chat.task_id_seq') as id \gset
with task as (
    insert into chat.task (
        id, user_id, title, description, status, priority, tags, due_kind, due_local, due_zone, due_at,
        reminders, recurrence, series, occurrence, ordinal, version, created_at, updated_at, completed_at,
        search_language
    ) values (
        :id, :user, :title, :description, :open, :priority, :tags, :due_kind, :due_local, null, :due_at, :reminders, null, null, null, null, :first, :now, :now, null,
        :language::text::regconfig
    )
), change as (
    insert into chat.task_change (task_id, version, kind, changed_at, correlation_id, fields)
    values (:id, :first, :created, :now, :correlation, :fields)
)
insert into chat.profile as profile (user_id, user_sequence) values (:user, 1)
on conflict (user_id) do update set user_sequence = profile.user_sequence + 1
returning user_sequence, time_zone;
insert into chat.outbox (id, aggregatetype, aggregateid, type, payload, traceparent, slot)
select id, aggregatetype, aggregateid, type, payload, traceparent, slot
from unnest(:ids::uuid[], :topics::text[], :keys::text[], :types::text[], :payloads::bytea[], :traces::text[], :slots::smallint[])
    with ordinality as event (id, aggregatetype, aggregateid, type, payload, traceparent, slot, number)
where pg_current_xact_id() is not null
order by number;
commit;
