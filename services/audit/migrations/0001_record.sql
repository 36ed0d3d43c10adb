-- The first release of audit: every event once, in a chain of hashes per task.

-- Where each chain ends, and whose task it is. Kept apart from the rows, so that a chain whose end was cut off does not
-- look whole; and the row that appending locks, so that two replicas never continue a chain at once. A row stays for
-- ever, also when every day of its task is dropped.
create table audit.chain (
    task_id bigint not null,
    user_id text not null,
    position bigint not null,                      -- of the last row; 0 before the first
    hash bytea not null,                           -- of the last row; zeros before the first
    constraint chain_pkey primary key (task_id),
    constraint chain_position_counted check (position >= 0),
    constraint chain_hash_whole check (octet_length(hash) = 32)
) with (fillfactor = 80);                          -- updated in place with every event of the task
create index chain_user_idx on audit.chain (user_id, task_id);

-- One row per event, never changed, dropped by the day.
--
-- There is no table `inbox` here: the row is the whole effect of an event, so the unique key of the event is the inbox.
-- A second delivery finds it and changes nothing. What is older than the retention needs no memory either: it leaves
-- no row, so that applying it again is harmless.
create table audit.event (
    event_day date not null,                       -- UTC date inside the event id, never of the arrival
    source text not null,
    event_id uuid not null,
    task_id bigint not null,
    position bigint not null,                      -- in the chain of the task, from 1
    type text not null,
    recorded_at timestamptz not null,
    event bytea not null,                          -- the envelope, byte for byte: jsonb would change it
    previous_hash bytea not null,                  -- of the row before; repeated here, so that a row tells what it follows
    hash bytea not null,                           -- of all that stands here, and of whose task it is
    constraint event_pkey primary key (task_id, position, event_day),
    constraint event_once unique (event_day, source, event_id),
    constraint event_position_counted check (position >= 1),
    constraint event_hashes_whole check (octet_length(previous_hash) = 32 and octet_length(hash) = 32)
) partition by range (event_day);

-- What dropped days leave: which rows of a task are gone, what the first of them followed, and what the last of them was.
-- Events of one task need not come in the order of their days, so there may be several gaps; neighbours become one.
create table audit.anchor (
    task_id bigint not null,
    first_position bigint not null,
    last_position bigint not null,
    previous_hash bytea not null,
    last_hash bytea not null,
    constraint anchor_pkey primary key (task_id, first_position),
    constraint anchor_positions_in_order check (1 <= first_position and first_position <= last_position),
    constraint anchor_hashes_whole check (octet_length(previous_hash) = 32 and octet_length(last_hash) = 32)
);

-- How far verification has come. One row: replicas take turns, and one that dies is followed by another where it was.
create table audit.verification (
    single boolean not null default true,
    holder uuid,                                   -- the replica at work
    held_until timestamptz,                        -- when the others may take over
    begun_at timestamptz,                          -- of the pass under way
    after_task bigint,                             -- verified so far; null when no pass is under way
    verified_at timestamptz,                       -- when the last whole pass began
    constraint verification_pkey primary key (single),
    constraint verification_one_row check (single)
);
insert into audit.verification default values;

-- Rows are added and read. This stops mistakes and injected statements; whoever owns the table can take the triggers
-- away, and is found by the chain.
create function audit.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on audit.%: the record is append-only', lower(tg_op), tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;
create trigger event_unchanged before update or delete on audit.event
    for each row execute function audit.refuse_change();
create trigger event_kept before truncate on audit.event
    for each statement execute function audit.refuse_change();
create trigger chain_kept before delete on audit.chain
    for each row execute function audit.refuse_change();

-- The days that have a partition.
create function audit.prepared_days() returns setof date language sql stable as $$
    select to_date(right(child.relname, 10), 'YYYY_MM_DD')
    from pg_catalog.pg_inherits as edge
    join pg_catalog.pg_class as child on child.oid = edge.inhrelid
    where edge.inhparent = 'audit.event'::regclass
    order by 1
$$;

-- Makes the partition of a day. False when it is there already. Made apart and attached, which keeps nobody waiting;
-- `create table … partition of` would lock the whole table against appending.
create function audit.prepare_day(day date) returns boolean language plpgsql as $$
declare
    partition constant text := 'event_' || to_char(day, 'YYYY_MM_DD');
begin
    perform pg_advisory_xact_lock(hashtextextended('audit.days', 0));
    if to_regclass(format('audit.%I', partition)) is not null then
        return false;
    end if;
    execute format('create table audit.%I (like audit.event including all)', partition);
    execute format(
        'create trigger event_kept before truncate on audit.%I
            for each statement execute function audit.refuse_change()', partition);
    execute format(
        'alter table audit.event attach partition audit.%I for values from (%L) to (%L)', partition, day, day + 1);
    return true;
end
$$;

-- Drops the partition of a day and leaves anchors. False when it is gone already. Readers wait only for the last step.
create function audit.drop_day(day date) returns boolean language plpgsql as $$
declare
    partition constant text := 'event_' || to_char(day, 'YYYY_MM_DD');
begin
    perform pg_advisory_xact_lock(hashtextextended('audit.days', 0));
    if to_regclass(format('audit.%I', partition)) is null then
        return false;
    end if;
    execute format('lock table audit.%I in share mode', partition);
    -- Runs of positions in this day, joined with the anchors that they touch.
    with placed as (
        select task_id, position, previous_hash, hash,
            position - row_number() over (partition by task_id order by position) as run
        from audit.event
        where event_day = day
    ), dropped as (
        select task_id, min(position) as first_position, max(position) as last_position,
            (array_agg(previous_hash order by position))[1] as previous_hash,
            (array_agg(hash order by position desc))[1] as last_hash
        from placed
        group by task_id, run
    ), touched as (
        delete from audit.anchor
        using dropped
        where anchor.task_id = dropped.task_id
            and (anchor.last_position = dropped.first_position - 1 or anchor.first_position = dropped.last_position + 1)
        returning anchor.task_id, anchor.first_position, anchor.last_position, anchor.previous_hash, anchor.last_hash
    ), piece as (
        select task_id, first_position, last_position, previous_hash, last_hash,
            first_position = lag(last_position) over (partition by task_id order by first_position) + 1 as continues
        from (select * from dropped union all select * from touched) as either
    ), numbered as (
        select *, count(*) filter (where continues is not true)
            over (partition by task_id order by first_position) as gap
        from piece
    )
    insert into audit.anchor (task_id, first_position, last_position, previous_hash, last_hash)
    select task_id, min(first_position), max(last_position),
        (array_agg(previous_hash order by first_position))[1],
        (array_agg(last_hash order by first_position desc))[1]
    from numbered
    group by task_id, gap;
    execute format('drop table audit.%I', partition);
    return true;
end
$$;
