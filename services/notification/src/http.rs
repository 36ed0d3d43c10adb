//! Translates: requests into questions and commands, answers into responses.

mod caller;
mod channels;
mod ledger;
#[cfg(test)]
mod openapi;
mod page;
mod snooze;

use axum::{
    Router,
    routing::{get, post, put},
};
use service_kit::{
    auth::{TokenChecker, users_only},
    database::Database,
    limits::UserRate,
};

use crate::{channels::Providers, telling::Telling};

/// What answering requests needs. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) providers: Providers,
    pub(crate) telling: Telling,
    /// Where the application is, for links.
    pub(crate) application: Option<String>,
}

/// The routes for people.
pub(crate) fn public(app: App, tokens: &TokenChecker, rate: &UserRate) -> Router {
    let routes = Router::new()
        .route("/reminders", get(ledger::list))
        .route("/reminders/{id}", get(ledger::read))
        .route("/reminders/{id}/snooze", post(snooze::snooze))
        .route("/channels", get(channels::list).post(channels::add))
        .route("/channels/{id}", put(channels::replace).delete(channels::delete))
        .route("/channels/{id}/test", post(channels::test));
    users_only(routes, tokens, rate).with_state(app)
}
