use super::{Access, Method, RUST, Scaling, Service, StartFrom, Subscription, Transport, route};
use crate::{app_ids, consumer_groups, topics};

/// Pushes live updates to browsers. Dapr has no group per replica that reads from the end, so it talks to Kafka itself.
pub const WEBSOCKET: Service = Service {
    app_id: app_ids::WEBSOCKET,
    summary: "Pushes every change and due reminder to the user's open connections.",
    planned: false,
    routes: &[
        // The first message or the subprotocol carries the token, never the address.
        route(Method::Get, "/ws", Access::User),
        route(Method::Get, "/events", Access::User),
    ],
    consumer_group: Some(consumer_groups::WEBSOCKET),
    consumes: &[
        Subscription {
            topic: topics::TASK_EVENTS,
            route: "/events/task-events",
            start: StartFrom::Newest,
            dead_letter: None,
        },
        Subscription {
            topic: topics::REMINDERS,
            route: "/events/reminders",
            start: StartFrom::Newest,
            dead_letter: None,
        },
    ],
    transports: &[Transport::Kafka],
    scaling: Scaling::Requests,
    // Clients are told to go elsewhere in small groups, lest all of them reconnect in the same moment.
    drain_seconds: 20,
    ..RUST
};
