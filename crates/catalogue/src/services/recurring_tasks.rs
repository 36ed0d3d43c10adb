use super::{CONSUMER_PROBES, CREATE_OCCURRENCE, Invocation, RUST, Scaling, Service, StartFrom, Subscription};
use crate::{app_ids, consumer_groups, database, ports, topics};

/// Turns a completed recurring task into its next instance. Stateless but for its inbox.
pub const RECURRING_TASKS: Service = Service {
    app_id: app_ids::RECURRING_TASKS,
    summary: "Computes the next instance of a completed recurring task and commands chat-api to create it.",
    planned: false,
    internal_port: Some(ports::INTERNAL),
    probes: CONSUMER_PROBES,
    consumer_group: Some(consumer_groups::RECURRING_TASKS),
    consumes: &[Subscription {
        topic: topics::TASK_EVENTS,
        route: "/events/task-events",
        start: StartFrom::Oldest,
        dead_letter: Some(topics::TASK_EVENTS_DLQ),
    }],
    invokes: &[Invocation {
        service: app_ids::CHAT_API,
        route: CREATE_OCCURRENCE,
    }],
    schema: Some(database::RECURRING.name),
    scaling: Scaling::ConsumerLag,
    ..RUST
};
