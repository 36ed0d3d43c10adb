//! `GET /ws`.

use axum::{
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::HeaderMap,
    response::Response,
};
use service_kit::problem::{Problem, codes};

use super::App;
use crate::{
    connection::Offered,
    message::{PROTOCOL, RESUME_PROTOCOL, TOKEN_PROTOCOL},
};

/// Bytes of a message of a client, which holds a token at most.
const MESSAGE_BYTES: usize = 16 * 1024;
/// Bytes of each connection's buffer for reading. Larger messages make it grow.
const READ_BUFFER_BYTES: usize = 1024;

/// Makes the connection a websocket.
pub(super) async fn upgrade(
    State(app): State<App>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|_| Problem::new(&codes::UPGRADE_REQUIRED))?;
    let place = app.door.admit(&headers)?;
    let unknown = app.door.admit_unknown()?;
    let offered = offered(&upgrade);
    let counted = app.sockets.token();
    let reception = app.reception;
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(MESSAGE_BYTES)
        .max_frame_size(MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(async move |socket| {
        reception.serve(socket, offered, unknown).await;
        drop((place, counted));
    }))
}

/// What stands among the subprotocols that the client offers: pages can put it nowhere else.
fn offered(upgrade: &WebSocketUpgrade) -> Offered {
    let mut offered = Offered::default();
    for protocol in upgrade.requested_protocols().filter_map(|it| it.to_str().ok()) {
        if let Some(token) = protocol.strip_prefix(TOKEN_PROTOCOL) {
            offered.token = Some(token.to_owned());
        } else if let Some(position) = protocol.strip_prefix(RESUME_PROTOCOL) {
            offered.resume = position.parse().ok();
        }
    }
    offered
}
