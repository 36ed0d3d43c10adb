-- The first release of dlq-monitor: every dead letter once, what operators did about them, and the versions of tasks that
-- say whether a dead letter was overtaken.
--
-- There is no table `inbox` here: where a letter lay, and what it was, is its key. A second delivery finds it.

create table dlq.dead_letter (
    id uuid not null,                              -- in the order of arrival
    origin text not null,                          -- topic that it was given up in, a name of the catalogue
    place_topic text not null,                     -- where the letter lay, as the transport told
    place_partition integer not null,
    place_offset bigint not null,
    fingerprint bytea not null,                    -- of key, value and headers: offsets begin anew with a new topic
    origin_partition integer,                      -- where the record lay, as far as anybody said
    origin_offset bigint,
    origin_timestamp timestamptz,
    -- Its place among the letters of its key: the offset at which its event was given up first. What came back after a
    -- replay stands where it stood.
    line_offset bigint,
    key bytea,
    value bytea,                                   -- byte for byte, whatever it is
    headers jsonb not null,                        -- in order: name, and text or base64
    omitted_bytes bigint,                          -- size of a value that the topic did not take
    reason text not null,                          -- kind of failure; `unknown` where nobody said
    detail text not null,
    fault text not null,                           -- detail without what differs from record to record
    group_id text not null,                        -- of all letters with the same origin, consumer, reason and fault
    attempts integer,
    consumer text,                                 -- app id of who gave it up
    first_seen timestamptz not null,               -- by the consumer where it said so
    arrived_at timestamptz not null default clock_timestamp(),
    event_id uuid,                                 -- from here on as far as it can be read
    source text,
    event_type text,
    task_id bigint,
    version bigint,
    trace_id text,
    state text not null default 'waiting',
    resolved_at timestamptz,
    constraint dead_letter_pkey primary key (id),
    constraint dead_letter_once unique (place_topic, place_partition, place_offset, fingerprint),
    constraint dead_letter_fingerprint_whole check (octet_length(fingerprint) = 32),
    constraint dead_letter_state_known check (state in ('waiting', 'replayed', 'superseded', 'discarded')),
    constraint dead_letter_end_told check ((resolved_at is null) = (state = 'waiting'))
);
create index dead_letter_waiting_idx on dlq.dead_letter (origin, first_seen) where state = 'waiting';
create index dead_letter_group_idx on dlq.dead_letter (group_id) where state = 'waiting';
create index dead_letter_line_idx on dlq.dead_letter (origin, key, line_offset, id) where state = 'waiting';
create index dead_letter_event_idx on dlq.dead_letter (event_id, source) where event_id is not null;
create index dead_letter_arrival_idx on dlq.dead_letter (arrived_at);
create index dead_letter_resolved_idx on dlq.dead_letter (resolved_at) where resolved_at is not null;

-- Everything that somebody did: the record of operators. Rows are added and come to their end; none is ever deleted.
create table dlq.action (
    id uuid not null,
    kind text not null,
    actor text not null,                           -- who: `sub` of the token, or who typed the command
    correlation_id text not null,
    begun_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    asked jsonb not null,                          -- which letters were meant
    note text,                                     -- why; always there for what was discarded
    selected integer not null,
    state text not null,
    detail text,                                   -- why it was stopped
    rate_per_second integer,                       -- of a replay, at the most
    pace integer,                                  -- letters of its next step: begins at one and doubles
    next_at timestamptz,                           -- of its next step
    again boolean not null default false,          -- also what came back after an earlier replay
    outcomes jsonb not null default '{}',          -- letters by what became of them, once it has ended
    constraint action_pkey primary key (id),
    constraint action_kind_known check (kind in ('dry_run', 'replay', 'discard')),
    constraint action_state_known check (state in ('running', 'done', 'stopped')),
    constraint action_end_told check ((ended_at is null) = (state = 'running')),
    constraint action_discard_explained check (kind <> 'discard' or note is not null),
    constraint action_replay_paced
        check (kind <> 'replay' or (rate_per_second is not null and pace is not null and next_at is not null))
);
create index action_running_idx on dlq.action (id) where state = 'running';

-- The letters of an action, in the order in which they are dealt with, and what became of each.
create table dlq.action_item (
    action_id uuid not null,
    position integer not null,
    letter_id uuid not null,                       -- may outlive the letter
    outcome text,                                  -- null: not dealt with
    detail text,
    at timestamptz,
    constraint action_item_pkey primary key (action_id, position),
    constraint action_item_action_fkey foreign key (action_id) references dlq.action,
    constraint action_item_outcome_known check (
        outcome in ('replayed', 'superseded', 'discarded', 'schema', 'loop', 'behind', 'publish', 'settled')
    ),
    constraint action_item_end_told check ((outcome is null) = (at is null))
);
create index action_item_letter_idx on dlq.action_item (letter_id);

-- The newest version of every task that was seen in its topic: a dead letter is overtaken by it or not.
create table dlq.task (
    task_id bigint not null,
    version bigint not null,
    seen_at timestamptz not null,                  -- no record of an older one is left in the topic after its retention
    constraint task_pkey primary key (task_id)
) with (fillfactor = 80);                          -- updated in place with every event of the task

-- Events that were recorded in the transaction of their change and are not published yet. The relay deletes a row when
-- the broker has it: rows live for milliseconds, and an empty table is the normal state.
--
-- The first six columns are named as Debezium's outbox router expects them, so that change data capture could take the
-- relay's place by configuration.
create table dlq.outbox (
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
    position bigint not null generated always as identity (sequence name dlq.outbox_position cache 1),
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
