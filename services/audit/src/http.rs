//! Translates: requests into questions, answers into responses.

mod entry;
mod export;
mod openapi;
mod trail;

use axum::{Router, routing::get};
use service_kit::{
    auth::{TokenChecker, users_only},
    database::Database,
    limits::UserRate,
};
use tokio_util::sync::CancellationToken;

/// What answering requests needs.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) database: Database,
    /// Cancelled when the service begins to stop.
    pub(crate) stop: CancellationToken,
}

/// The routes for people.
pub(crate) fn public(app: App, tokens: &TokenChecker, rate: &UserRate) -> Router {
    let routes = Router::new()
        .route("/tasks/{id}/audit", get(trail::show))
        .route("/audit/export", get(export::stream));
    users_only(routes, tokens, rate)
        .route("/openapi.json", get(openapi::read))
        .with_state(app)
}
