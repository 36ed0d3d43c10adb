use super::{Access, CONSUMER_PROBES, Method, RUST, Scaling, Service, StartFrom, Subscription, route};
use crate::{app_ids, consumer_groups, database, ports, topics};

/// Keeps the append-only, hash-chained record of every event.
pub const AUDIT: Service = Service {
    app_id: app_ids::AUDIT,
    summary: "Appends every event to a tamper-evident record and drops days after the retention.",
    planned: false,
    internal_port: Some(ports::INTERNAL),
    probes: CONSUMER_PROBES,
    routes: &[
        route(Method::Get, "/tasks/{id}/audit", Access::User),
        route(Method::Get, "/audit/export", Access::User),
        route(Method::Get, "/openapi.json", Access::Anyone),
    ],
    consumer_group: Some(consumer_groups::AUDIT),
    consumes: &[
        Subscription {
            topic: topics::TASK_EVENTS,
            route: "/events/task-events",
            start: StartFrom::Oldest,
            dead_letter: Some(topics::TASK_EVENTS_DLQ),
        },
        Subscription {
            topic: topics::REMINDERS,
            route: "/events/reminders",
            start: StartFrom::Oldest,
            dead_letter: Some(topics::REMINDERS_DLQ),
        },
    ],
    schema: Some(database::AUDIT.name),
    scaling: Scaling::ConsumerLag,
    ..RUST
};
