use super::{
    Access, CONSUMER_PROBES, CREATE_OCCURRENCES_SCOPE, INTERNAL_AUDIENCE, Method, RUST, Route, RoutePort, Scaling,
    Service, route,
};
use crate::{app_ids, database, ports, topics};

/// Creates the next instance of a recurring task: idempotent by series and occurrence, the owner read from the task.
pub const CREATE_OCCURRENCE: Route = Route {
    method: Method::Post,
    path: "/internal/tasks/{id}/occurrences",
    port: RoutePort::Internal,
    access: Access::Service {
        audience: INTERNAL_AUDIENCE,
        scope: CREATE_OCCURRENCES_SCOPE,
    },
};

/// The only writer of tasks.
pub const CHAT_API: Service = Service {
    app_id: app_ids::CHAT_API,
    summary: "Creates, changes, completes and finds tasks; their only writer.",
    planned: false,
    internal_port: Some(ports::INTERNAL),
    probes: CONSUMER_PROBES,
    routes: &[
        route(Method::Post, "/tasks", Access::User),
        route(Method::Get, "/tasks", Access::User),
        route(Method::Post, "/tasks/batch", Access::User),
        route(Method::Get, "/tasks/search", Access::User),
        route(Method::Get, "/tasks/{id}", Access::User),
        route(Method::Patch, "/tasks/{id}", Access::User),
        route(Method::Delete, "/tasks/{id}", Access::User),
        route(Method::Post, "/tasks/{id}/complete", Access::User),
        route(Method::Post, "/tasks/{id}/reopen", Access::User),
        route(Method::Post, "/tasks/{id}/snooze", Access::User),
        route(Method::Get, "/tasks/{id}/history", Access::User),
        route(Method::Post, "/recurrence/preview", Access::User),
        route(Method::Get, "/tags", Access::User),
        route(Method::Get, "/me", Access::User),
        route(Method::Put, "/me", Access::User),
        // Built-in accounts, where they are on.
        route(Method::Post, "/accounts", Access::Anyone),
        route(Method::Post, "/sessions", Access::Anyone),
        route(Method::Get, "/.well-known/jwks.json", Access::Anyone),
        route(Method::Get, "/.well-known/openid-configuration", Access::Anyone),
        route(Method::Get, "/openapi.json", Access::Anyone),
        CREATE_OCCURRENCE,
    ],
    publishes: &[topics::TASK_EVENTS],
    schema: Some(database::CHAT.name),
    scaling: Scaling::Requests,
    ..RUST
};
