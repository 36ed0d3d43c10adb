-- What chat-api asks PostgreSQL to complete a task, statement by statement, in one transaction. Each client has tasks of its
-- own, made before, and takes one after another.
\set user :client_id
\set n :n + 1
\set id :start + :client_id * :each + :n
begin;
select time_zone, language, channels, version from chat.profile where user_id = :user;
select id, user_id, title, description, status, priority, tags, due_kind, due_local, due_zone,
    reminders as "reminders: Json<Vec<shape::Reminder>>",
    recurrence as "recurrence: Json<shape::Recurrence>",
    series, occurrence, ordinal, version, created_at, updated_at, completed_at
from chat.task where id = :id and user_id = :user for update;
with task as (
    update chat.task set
        title = :title, description = :description, status = :completed, priority = :priority, tags = :tags, due_kind = :due_kind, due_local = :due_local,
        due_zone = null, due_at = :due_at, reminders = :reminders, recurrence = null, series = null, occurrence = null,
        ordinal = null, version = :second, updated_at = :now, completed_at = :now,
        search_language = :language::text::regconfig
    where id = :id
), change as (
    insert into chat.task_change (task_id, version, kind, changed_at, correlation_id, fields)
    values (:id, :second, :completed, :now, :correlation, :fields)
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
