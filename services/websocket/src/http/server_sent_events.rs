//! `GET /events`: the same messages as server-sent events, for whom a websocket cannot reach.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use service_kit::{
    auth::User,
    problem::{Problem, codes},
};
use tokio::{sync::OwnedSemaphorePermit, time::Interval};

use super::App;
use crate::{
    close::Farewell,
    connection::{Reception, expires},
    hub::{Arrival, Next, Place, Protocol},
    message::{Note, ServerMessage},
};

/// The position of the last change that the client has.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Asks proxies not to collect what is to arrive at once.
const NO_BUFFERING: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// Answers with a stream that does not end by itself.
pub(super) async fn stream(State(app): State<App>, user: User, headers: HeaderMap) -> Result<Response, Problem> {
    let resume = match headers.get(LAST_EVENT_ID) {
        None => None,
        Some(position) => {
            let position = position.to_str().ok().and_then(|it| it.parse().ok());
            let wrong =
                || Problem::new(&codes::INVALID_HEADER).detail("`Last-Event-ID` is not the number of a change.");
            Some(position.ok_or_else(wrong)?)
        }
    };
    let permit = app.door.admit(&headers)?;
    let arrival = Arrival {
        user: user.id(),
        resume,
        valid_until: user.valid_until(),
        protocol: Protocol::ServerSentEvents,
    };
    let place = app.reception.hub.enter(arrival).map_err(|farewell| {
        app.reception.hub.count_farewell(farewell);
        Problem::new(&codes::RATE_LIMITED).detail("There are as many connections of yours as allowed.")
    })?;
    let listener = Listener {
        beats: app.reception.heartbeats(),
        reception: app.reception,
        place,
        valid_until: user.valid_until(),
        position: None,
        _permit: permit,
    };
    let body = Body::from_stream(stream::unfold(Some(listener), tell));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        NO_BUFFERING,
    ];
    Ok((headers, body).into_response())
}

/// A client that listens.
struct Listener {
    reception: Reception,
    place: Place,
    beats: Interval,
    valid_until: Timestamp,
    position: Option<u64>,
    _permit: OwnedSemaphorePermit,
}

/// The next event, and whether there are more.
async fn tell(listener: Option<Listener>) -> Option<(Result<Bytes, Infallible>, Option<Listener>)> {
    let mut listener = listener?;
    let next = tokio::select! {
        next = listener.place.queue.next() => next,
        _ = listener.beats.tick() => Next::Note(listener.heartbeat().into()),
        () = expires(listener.valid_until) => Next::Farewell(Farewell::TokenExpired),
    };
    match next {
        Next::Note(note) => {
            listener.position = note.sequence.or(listener.position);
            if let Some(seconds) = note.age_seconds() {
                listener.reception.latency.observe(seconds);
            }
            Some((Ok(note.to_server_sent_event()), Some(listener)))
        }
        Next::Farewell(farewell) => {
            listener.reception.hub.count_farewell(farewell);
            let closing = ServerMessage::Closing {
                code: farewell.code(),
                reason: farewell,
            };
            Some((Ok(closing.to_note().to_server_sent_event()), None))
        }
    }
}

impl Listener {
    fn heartbeat(&self) -> Note {
        ServerMessage::Heartbeat {
            sequence: self.position,
        }
        .to_note()
    }
}
