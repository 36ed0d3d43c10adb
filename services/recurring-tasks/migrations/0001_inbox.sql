-- The first release of recurring-tasks: nothing but what it has applied. Tasks and their series belong to chat-api.

-- Which events this service has applied. A row is written in the transaction of the event's effect, so that both are
-- there or neither. CloudEvents identifies an event by source and id together.
create table recurring.inbox (
    source text not null,
    event_id uuid not null,
    received_at timestamptz not null default now(),
    constraint inbox_pkey primary key (source, event_id)
);
-- Rows older than the retention are removed by age.
create index inbox_received_at_idx on recurring.inbox (received_at);
