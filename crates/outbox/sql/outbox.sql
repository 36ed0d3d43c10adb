-- Events that were recorded in the transaction of their change and are not published yet. The relay deletes a row when
-- the broker has it: rows live for milliseconds, and an empty table is the normal state.
--
-- The first six columns are named as Debezium's outbox router expects them, so that change data capture could take the
-- relay's place by configuration.
create table {schema}.outbox (
    id uuid not null,             -- of the event, fixed here: a second attempt to publish carries the same one
    aggregatetype text not null,  -- topic
    aggregateid text not null,    -- record key
    type text not null,           -- type of the event
    payload bytea not null,       -- the record's value, byte for byte: jsonb would change it, and takes 1.6 times as long
    traceparent text,             -- of the work that caused the event
    created_at timestamptz not null default clock_timestamp(),
    slot smallint not null,       -- murmur2(key) & 15: what relays share
    -- Events of one key are published in this order. One number at a time (cache 1), because a session that took a
    -- supply would use it after younger rows of the same key.
    position bigint not null generated always as identity (sequence name {schema}.outbox_position cache 1),
    constraint outbox_slot_exists check (slot between 0 and 15),
    -- The relay's only question, and the only index that a write pays for. Uniqueness of `id` is the inbox's business.
    constraint outbox_pkey primary key (slot, position)
) with (
    -- Dead rows are the whole table, all the time: vacuum after a thousand of them, at full speed.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0,
    toast.autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_cost_delay = 0,
    -- A row that fits into a page stays there, uncompressed: it is read once and deleted.
    toast_tuple_target = 8160
);
