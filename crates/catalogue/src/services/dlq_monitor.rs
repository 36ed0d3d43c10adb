use super::{
    Access, CONSUMER_PROBES, Method, READ_DEAD_LETTERS_SCOPE, RESOLVE_DEAD_LETTERS_SCOPE, RUST, Scaling, Service,
    StartFrom, Subscription, route,
};
use crate::{app_ids, consumer_groups, database, ports, topics};

const READ: Access = Access::Operator(READ_DEAD_LETTERS_SCOPE);
const RESOLVE: Access = Access::Operator(RESOLVE_DEAD_LETTERS_SCOPE);

/// Stores, explains, replays and discards dead letters.
pub const DLQ_MONITOR: Service = Service {
    app_id: app_ids::DLQ_MONITOR,
    summary: "Stores dead letters, groups them by error, and replays or discards them on command.",
    planned: false,
    internal_port: Some(ports::INTERNAL),
    probes: CONSUMER_PROBES,
    routes: &[
        route(Method::Get, "/dead-letters", READ),
        route(Method::Get, "/dead-letters/groups", READ),
        route(Method::Get, "/dead-letters/stats", READ),
        route(Method::Get, "/dead-letters/actions", READ),
        route(Method::Get, "/dead-letters/actions/{id}", READ),
        route(Method::Post, "/dead-letters/dry-run", READ),
        route(Method::Post, "/dead-letters/replay", RESOLVE),
        route(Method::Post, "/dead-letters/discard", RESOLVE),
        route(Method::Post, "/dead-letters/actions/{id}/stop", RESOLVE),
        route(Method::Get, "/dead-letters/{id}", READ),
    ],
    consumer_group: Some(consumer_groups::DLQ_MONITOR),
    // A dead letter has nowhere else to go: what cannot be stored is held until it can.
    consumes: &[
        Subscription {
            topic: topics::TASK_EVENTS_DLQ,
            route: "/events/task-events-dlq",
            start: StartFrom::Oldest,
            dead_letter: None,
        },
        Subscription {
            topic: topics::REMINDERS_DLQ,
            route: "/events/reminders-dlq",
            start: StartFrom::Oldest,
            dead_letter: None,
        },
        // Only for the versions of tasks: which dead letters a newer one has overtaken.
        Subscription {
            topic: topics::TASK_EVENTS,
            route: "/events/task-events",
            start: StartFrom::Oldest,
            dead_letter: Some(topics::TASK_EVENTS_DLQ),
        },
    ],
    // Replays go back to the origin.
    publishes: &[topics::TASK_EVENTS, topics::REMINDERS],
    schema: Some(database::DLQ.name),
    scaling: Scaling::Fixed,
    drain_seconds: 15,
    ..RUST
};
