//! One websocket, from its first message to its last: one task, small buffers, every wait bounded.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use catalogue::metrics::WEBSOCKET_BROADCAST_LATENCY_SECONDS;
use futures::SinkExt as _;
use jiff::Timestamp;
use metrics::{Histogram, Metrics};
use service_kit::{
    auth::{AuthFailure, TokenChecker, User},
    limits::UserRate,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    close::Farewell,
    hub::{Arrival, Hub, Next, Place, Protocol},
    message::{ClientMessage, Note, ServerMessage},
};

/// Time in which a client must say who it is.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// Time that a client has to take one message.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// Messages that a client may send between two heartbeats. It has nothing to say but a new token.
const TALK: u32 = 60;
/// The longest time for which a timer is set.
const FAR: Duration = Duration::from_hours(24);

/// What serving clients needs. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Reception {
    pub(crate) hub: Hub,
    pub(crate) tokens: TokenChecker,
    pub(crate) rate: UserRate,
    /// Time between two heartbeats.
    pub(crate) heartbeat: Duration,
    /// Time that a client has to answer the end of the connection.
    pub(crate) goodbye: Duration,
    /// From the event to the socket.
    pub(crate) latency: Histogram,
    /// Cancelled when the service begins to stop.
    pub(crate) stop: CancellationToken,
}

/// What a client offered with the handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offered {
    pub(crate) token: Option<String>,
    pub(crate) resume: Option<u64>,
}

/// How a connection ended: by the service, with a reason; or by the client.
type Ended = Option<Farewell>;

impl Reception {
    /// The histogram of the way from an event to a socket.
    pub(crate) fn latency(metrics: &Metrics) -> Histogram {
        metrics.histogram(&WEBSOCKET_BROADCAST_LATENCY_SECONDS, &[])
    }

    /// Serves a websocket to its end. `unknown` is the place among those who have not said who they are.
    pub(crate) async fn serve(self, mut socket: WebSocket, offered: Offered, unknown: OwnedSemaphorePermit) {
        let ended = match self.greet(&mut socket, offered).await {
            Ok((user, place)) => {
                drop(unknown);
                let mut session = Session {
                    socket: &mut socket,
                    reception: &self,
                    place,
                    valid_until: user.valid_until(),
                    user,
                    heard: true,
                    said: 0,
                    position: None,
                };
                match session.run().await {
                    Ok(never) => match never {},
                    Err(ended) => ended,
                }
            }
            Err(ended) => ended,
        };
        if let Some(farewell) = ended {
            self.hub.count_farewell(farewell);
            close(socket, farewell, self.goodbye).await;
        }
    }

    /// Finds out who it is, and gives the client its place.
    async fn greet(&self, socket: &mut WebSocket, offered: Offered) -> Result<(User, Place), Ended> {
        let (token, resume) = if let Some(token) = offered.token {
            (token, offered.resume)
        } else {
            tokio::select! {
                () = self.stop.cancelled() => return Err(Some(Farewell::Restarting)),
                hello = timeout(HELLO_TIME, hello(socket)) => hello.map_err(|_| Some(Farewell::TokenMissing))??,
            }
        };
        let user = self.check(&token).await.map_err(Some)?;
        let arrival = Arrival {
            user: user.id(),
            resume,
            valid_until: user.valid_until(),
            protocol: Protocol::Websocket,
        };
        let place = self.hub.enter(arrival).map_err(Some)?;
        Ok((user, place))
    }

    async fn check(&self, token: &str) -> Result<User, Farewell> {
        let user = self.tokens.check(token).await.map_err(|failure| match failure {
            AuthFailure::Expired => Farewell::TokenExpired,
            AuthFailure::KeysAway => Farewell::TryAgainLater,
            _ => Farewell::TokenRefused,
        })?;
        self.rate.take(user.id()).map_err(|_| Farewell::TryAgainLater)?;
        Ok(user)
    }

    /// The times of heartbeats; the first one by chance, so that those who came together are not served together.
    pub(crate) fn heartbeats(&self) -> Interval {
        let first = Instant::now() + self.heartbeat.mul_f64(rand::random_range(0.5..1.0));
        let mut beats = interval_at(first, self.heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beats
    }
}

/// Ends when the token has.
pub(crate) async fn expires(valid_until: Timestamp) {
    loop {
        let left = valid_until.duration_since(Timestamp::now());
        let Ok(left) = Duration::try_from(left) else { return };
        if left.is_zero() {
            return;
        }
        sleep_until(Instant::now() + left.min(FAR)).await;
    }
}

/// The first message: a token, and the position to resume from.
async fn hello(socket: &mut WebSocket) -> Result<(String, Option<u64>), Ended> {
    loop {
        match socket.recv().await {
            Some(Ok(Message::Text(text))) => {
                return match serde_json::from_str(text.as_str()) {
                    Ok(ClientMessage::Hello { token, resume }) => Ok((token, resume)),
                    _ => Err(Some(Farewell::Misuse)),
                };
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_))) => return Err(Some(Farewell::Misuse)),
            Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(None),
        }
    }
}

/// A client that is let in.
struct Session<'a> {
    socket: &'a mut WebSocket,
    reception: &'a Reception,
    place: Place,
    user: User,
    valid_until: Timestamp,
    /// Whether something came since the last heartbeat.
    heard: bool,
    /// Messages since the last heartbeat.
    said: u32,
    /// Of the last change that was written.
    position: Option<u64>,
}

impl Session<'_> {
    async fn run(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut beats = self.reception.heartbeats();
        loop {
            tokio::select! {
                incoming = self.socket.recv() => match incoming {
                    Some(Ok(message)) => self.hear(message).await?,
                    Some(Err(_)) | None => return Err(None),
                },
                next = self.place.queue.next() => match next {
                    Next::Note(note) => self.write(&note).await?,
                    Next::Farewell(farewell) => return Err(Some(farewell)),
                },
                _ = beats.tick() => self.beat().await?,
                () = expires(self.valid_until) => return Err(Some(Farewell::TokenExpired)),
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), Ended> {
        self.heard = true;
        self.said += 1;
        if self.said > TALK {
            return Err(Some(Farewell::Misuse));
        }
        match message {
            Message::Ping(_) | Message::Pong(_) => Ok(()),
            Message::Close(_) => Err(None),
            Message::Binary(_) => Err(Some(Farewell::Misuse)),
            Message::Text(text) => match serde_json::from_str(text.as_str()) {
                Ok(ClientMessage::Token { token }) => self.renew(&token).await,
                _ => Err(Some(Farewell::Misuse)),
            },
        }
    }

    /// Goes on with a new token, which must be of the same person.
    async fn renew(&mut self, token: &str) -> Result<(), Ended> {
        let user = self.reception.check(token).await.map_err(Some)?;
        if user.id() != self.user.id() {
            return Err(Some(Farewell::TokenRefused));
        }
        self.valid_until = user.valid_until();
        let renewed = ServerMessage::Renewed {
            valid_until: self.valid_until,
        };
        self.write(&renewed.to_note()).await
    }

    async fn beat(&mut self) -> Result<(), Ended> {
        if !self.heard {
            return Err(Some(Farewell::Silent));
        }
        (self.heard, self.said) = (false, 0);
        // Every client answers a ping by itself; the message is for pages, which are not shown pings.
        let ping = self.socket.feed(Message::Ping(bytes::Bytes::new()));
        ping.await.map_err(|_| None)?;
        let heartbeat = ServerMessage::Heartbeat {
            sequence: self.position,
        };
        self.write(&heartbeat.to_note()).await
    }

    async fn write(&mut self, note: &Note) -> Result<(), Ended> {
        let written = tokio::select! {
            biased;
            written = timeout(WRITE_TIME, self.socket.send(note.to_frame())) => written,
            () = self.place.queue.overflows() => return Err(Some(Farewell::Slow)),
        };
        match written {
            Err(_elapsed) => Err(Some(Farewell::Slow)),
            Ok(Err(_)) => Err(None),
            Ok(Ok(())) => {
                self.position = note.sequence.or(self.position);
                if let Some(seconds) = note.age_seconds() {
                    self.reception.latency.observe(seconds);
                }
                Ok(())
            }
        }
    }
}

/// Tells the client why, and waits a little for it to go.
async fn close(mut socket: WebSocket, farewell: Farewell, goodbye: Duration) {
    let frame = CloseFrame {
        code: farewell.code(),
        reason: farewell.as_str().into(),
    };
    let parting = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // Whoever does not answer is left.
    drop(timeout(goodbye, parting).await);
}
