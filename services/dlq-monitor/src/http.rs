//! Translates: requests of operators into questions and actions, answers into responses.

mod act;
mod caller;
mod look;
#[cfg(test)]
mod openapi;
mod refuse;

use axum::{
    Router,
    routing::{get, post},
};
use catalogue::services::{READ_DEAD_LETTERS_SCOPE, RESOLVE_DEAD_LETTERS_SCOPE};
use service_kit::{
    auth::{TokenChecker, operators_only},
    database::Database,
    limits::UserRate,
};

use crate::telling::Telling;

/// What answering requests needs. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) telling: Telling,
}

/// The routes for operators.
pub(crate) fn public(app: App, tokens: &TokenChecker, rate: &UserRate) -> Router {
    let looking = Router::new()
        .route("/dead-letters", get(look::list))
        .route("/dead-letters/groups", get(look::groups))
        .route("/dead-letters/stats", get(look::statistics))
        .route("/dead-letters/actions", get(look::actions))
        .route("/dead-letters/actions/{id}", get(look::action))
        .route("/dead-letters/{id}", get(look::show))
        .route("/dead-letters/dry-run", post(act::dry_run));
    let acting = Router::new()
        .route("/dead-letters/replay", post(act::replay))
        .route("/dead-letters/discard", post(act::discard))
        .route("/dead-letters/actions/{id}/stop", post(act::stop));
    operators_only(looking, tokens, rate, READ_DEAD_LETTERS_SCOPE)
        .merge(operators_only(acting, tokens, rate, RESOLVE_DEAD_LETTERS_SCOPE))
        .with_state(app)
}
