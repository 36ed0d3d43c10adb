//! Lets clients in: `GET /ws` and `GET /events`.

mod door;
mod server_sent_events;
mod websocket;

use axum::{Router, routing::get};
use service_kit::auth::users_only;
use tokio_util::task::TaskTracker;

use crate::connection::Reception;

pub(crate) use door::Door;

/// What answering requests needs.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) reception: Reception,
    pub(crate) door: Door,
    /// Counts the websockets: they outlive their requests.
    pub(crate) sockets: TaskTracker,
}

/// The routes for people.
pub(crate) fn public(app: App) -> Router {
    let Reception { tokens, rate, .. } = &app.reception;
    let events = Router::new().route("/events", get(server_sent_events::stream));
    users_only(events, tokens, rate)
        // Asks for the token itself: a page cannot set a header, and is not shown the status of a refusal.
        .route("/ws", get(websocket::upgrade))
        .with_state(app)
}
