-- The first release of notification: reminders, how they are delivered, and the ledger that people see.
--
-- There is no table `inbox` here, because two keys do its work and need no pruning: an event of a task is applied when
-- its version is above the one in `task`, and an event of a reminder when its id stands in a `reminder` that is still
-- due. A second delivery of either finds that and changes nothing.

-- The last known version of every task, also of those without reminders: an older event that comes late is told from a
-- newer one by it. Whoever plans or claims reminders of a task has its row locked.
create table notification.task (
    task_id bigint not null,
    user_id text not null,
    version bigint not null,                       -- of the task; 0 while its first event is applied
    is_open boolean not null,                      -- neither completed nor deleted
    title text not null,
    due_at timestamptz,
    time_zone text not null,                       -- IANA name of where the person lived at that version
    constraint task_pkey primary key (task_id)
);

-- One row per reminder and generation: rescheduling, snoozing and reopening end a generation and begin the next. Each row
-- comes to exactly one end: delivered, expired or superseded.
create table notification.reminder (
    id uuid not null,                              -- the same in every generation
    generation integer not null,                   -- from 1
    task_id bigint not null,
    user_id text not null,
    spec text not null,                            -- which reminder of its task it is
    asked_at timestamptz not null,                 -- when the task asks for attention
    remind_at timestamptz not null,                -- when it is to be seen: later than asked_at where it was snoozed
    state text not null,
    cause text,                                    -- why it expired or was superseded
    task_version bigint not null,                  -- of the task that asked for it
    correlation_id text not null,                  -- of the change that asked for it
    event_id uuid,                                 -- of the event that told that it is due; delivery finds it by this
    planned_at timestamptz not null default now(),
    claimed_at timestamptz,
    claimed_by text,                               -- who woke: the sweeper, or a job
    delivered_at timestamptz,                      -- first seen
    ended_at timestamptz,
    constraint reminder_pkey primary key (id, generation),
    constraint reminder_task_fkey foreign key (task_id) references notification.task,
    constraint reminder_spec_once unique (task_id, spec, generation),
    constraint reminder_generation_counted check (generation >= 1),
    constraint reminder_state_known
        check (state in ('planned', 'due', 'attempted', 'delivered', 'expired', 'superseded')),
    constraint reminder_end_told check ((ended_at is not null) = (state in ('delivered', 'expired', 'superseded'))),
    constraint reminder_event_told check (event_id is not null or state in ('planned', 'expired', 'superseded')),
    constraint reminder_claimer_known check (claimed_by in ('sweeper', 'job'))
) with (fillfactor = 80);                          -- updated in place a few times
create unique index reminder_one_open_idx on notification.reminder (id) where state in ('planned', 'due', 'attempted');
create unique index reminder_event_idx on notification.reminder (event_id) where event_id is not null;
create index reminder_planned_idx on notification.reminder (remind_at) where state = 'planned';
create index reminder_ledger_idx on notification.reminder (user_id, remind_at desc, id desc, generation desc);

-- A way by which reminders reach a person. In the application is one of them without a row.
create table notification.channel (
    id uuid not null,
    user_id text not null,
    kind text not null,
    name text not null,
    target jsonb not null,                         -- address or subscription, by kind
    secret text,                                   -- signs calls of a webhook
    enabled boolean not null,
    quiet_from text,                               -- wall time in the person's zone, HH:MM
    quiet_until text,
    created_at timestamptz not null default now(),
    retired_at timestamptz,                        -- gone for good: nothing is sent any more
    retired_because text,
    constraint channel_pkey primary key (id),
    constraint channel_kind_known check (kind in ('in_app', 'web_push', 'email', 'webhook')),
    constraint channel_quiet_whole check ((quiet_from is null) = (quiet_until is null)),
    constraint channel_retirement_told check ((retired_at is null) = (retired_because is null))
);
create index channel_user_idx on notification.channel (user_id, created_at, id);

-- One reminder on its way through one channel.
create table notification.delivery (
    id uuid not null,                              -- shown to the provider, so that it can tell a repetition
    reminder_id uuid not null,
    generation integer not null,
    channel_id uuid,                               -- null: in the application
    kind text not null,
    state text not null,
    attempts integer not null default 0,
    next_at timestamptz not null,                  -- of the next attempt; while attempting: when it counts as lost
    cancelled boolean not null default false,      -- nothing more is to be tried
    detail text,                                   -- what the last attempt said
    ended_at timestamptz,
    constraint delivery_pkey primary key (id),
    constraint delivery_reminder_fkey foreign key (reminder_id, generation) references notification.reminder,
    constraint delivery_channel_fkey foreign key (channel_id) references notification.channel,
    constraint delivery_once unique nulls not distinct (reminder_id, generation, channel_id),
    constraint delivery_state_known
        check (state in ('pending', 'attempting', 'delivered', 'failed', 'gone', 'superseded')),
    constraint delivery_end_told check ((ended_at is null) = (state in ('pending', 'attempting')))
) with (fillfactor = 80);
create index delivery_ready_idx on notification.delivery (next_at) where state in ('pending', 'attempting');

-- Every call of a provider: written before it, and again with what came back. One without an outcome is in doubt: the
-- process died, and the provider may have accepted.
create table notification.delivery_attempt (
    delivery_id uuid not null,
    number integer not null,                       -- from 1
    begun_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    outcome text,
    detail text,
    constraint delivery_attempt_pkey primary key (delivery_id, number),
    constraint delivery_attempt_delivery_fkey foreign key (delivery_id) references notification.delivery,
    constraint delivery_attempt_outcome_known
        check (outcome in ('delivered', 'retry', 'failed', 'gone', 'in_doubt')),
    constraint delivery_attempt_end_told check ((ended_at is null) = (outcome is null))
);

-- Events that were recorded in the transaction of their change and are not published yet. The relay deletes a row when
-- the broker has it: rows live for milliseconds, and an empty table is the normal state.
--
-- The first six columns are named as Debezium's outbox router expects them, so that change data capture could take the
-- relay's place by configuration.
create table notification.outbox (
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
    position bigint not null generated always as identity (sequence name notification.outbox_position cache 1),
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
