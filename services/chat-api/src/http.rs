//! Translates: requests into questions and commands, answers and errors into responses.

pub(crate) mod accounts;
mod answer;
mod batch;
mod caller;
mod conditional;
mod history;
mod keyed;
mod list;
pub(crate) mod me;
mod occurrences;
mod openapi;
mod page;
mod recurrence;
mod search;
mod tags;
mod tasks;
mod write;

use axum::{
    Router,
    routing::{get, post},
};
use catalogue::services::CREATE_OCCURRENCE;
use service_kit::{
    auth::{ServiceTokenChecker, TokenChecker, services_only, users_only},
    limits::UserRate,
};

use crate::app::App;

/// The routes for people.
pub(crate) fn public(app: &App, tokens: &TokenChecker, rate: &UserRate) -> Router {
    let routes = Router::new()
        .route("/tasks", get(list::list).post(tasks::create))
        .route("/tasks/batch", post(batch::run))
        .route("/tasks/search", get(search::search))
        .route("/recurrence/preview", post(recurrence::preview))
        .route(
            "/tasks/{id}",
            get(tasks::read).patch(tasks::update).delete(tasks::delete),
        )
        .route("/tasks/{id}/complete", post(tasks::complete))
        .route("/tasks/{id}/reopen", post(tasks::reopen))
        .route("/tasks/{id}/snooze", post(tasks::snooze))
        .route("/tasks/{id}/history", get(history::history))
        .route("/tags", get(tags::list))
        .route("/me", get(me::read).put(me::replace));
    users_only(routes, tokens, rate)
        .route("/openapi.json", get(openapi::read))
        .with_state(app.clone())
}

/// The routes for other services.
pub(crate) fn internal(app: &App, tokens: &ServiceTokenChecker) -> Router {
    let routes = Router::new().route(CREATE_OCCURRENCE.path, post(occurrences::create));
    services_only(routes, tokens, CREATE_OCCURRENCE.access).with_state(app.clone())
}
