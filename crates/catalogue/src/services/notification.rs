use super::{Access, CONSUMER_PROBES, Method, RUST, Scaling, Service, StartFrom, Subscription, route};
use crate::{app_ids, consumer_groups, database, jobs, ports, topics};

/// Owns reminders: plans them, claims them when due, delivers them.
pub const NOTIFICATION: Service = Service {
    app_id: app_ids::NOTIFICATION,
    summary: "Plans reminders, claims them when they are due and delivers them through the user's channels.",
    internal_port: Some(ports::INTERNAL),
    probes: CONSUMER_PROBES,
    routes: &[
        route(Method::Get, "/reminders", Access::User),
        route(Method::Get, "/reminders/{id}", Access::User),
        route(Method::Post, "/reminders/{id}/snooze", Access::User),
        route(Method::Get, "/channels", Access::User),
        route(Method::Post, "/channels", Access::User),
        route(Method::Put, "/channels/{id}", Access::User),
        route(Method::Delete, "/channels/{id}", Access::User),
        route(Method::Post, "/channels/{id}/test", Access::User),
    ],
    consumer_group: Some(consumer_groups::NOTIFICATION),
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
    publishes: &[topics::REMINDERS],
    schema: Some(database::NOTIFICATION.name),
    job_prefixes: &[jobs::REMINDER.prefix],
    scaling: Scaling::ConsumerLag,
    // A provider gets 10 s to answer, and the mark must still be written.
    drain_seconds: 20,
    ..RUST
};
