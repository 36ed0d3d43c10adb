//! A client, as anybody would write one: a websocket library and JSON.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest as _,
        handshake::client::{Request, Response},
        protocol::CloseFrame,
    },
};

use crate::world::{PATIENCE, Replica};

/// A websocket to the service.
pub(crate) struct Connection(pub(crate) WebSocketStream<TcpStream>);

impl Connection {
    pub(crate) async fn open(replica: &Replica) -> Self {
        Self::open_with(replica, &[]).await.unwrap().0
    }

    /// With these headers.
    pub(crate) async fn open_with(
        replica: &Replica,
        headers: &[(&'static str, &str)],
    ) -> Result<(Self, Response), Error> {
        let mut request: Request = format!("ws://{}/ws", replica.public).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(replica.public).await.unwrap();
        let (socket, response) = timeout(PATIENCE, client_async(request, stream)).await.unwrap()?;
        Ok((Self(socket), response))
    }

    /// Says who it is.
    pub(crate) async fn hello(&mut self, token: &str, resume: Option<i64>) {
        self.say(&json!({"type": "hello", "token": token, "resume": resume}))
            .await;
    }

    pub(crate) async fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message that is no heartbeat.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] != "heartbeat" {
                        return message;
                    }
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("instead of a message came {other:?}"),
            }
        }
    }

    /// The positions of the next so many messages, which must be changes.
    pub(crate) async fn changes(&mut self, count: usize) -> Vec<i64> {
        let mut positions = Vec::new();
        for _ in 0..count {
            let message = self.next().await;
            assert_eq!(message["type"], "change", "{message}");
            positions.push(message["sequence"].as_i64().unwrap());
        }
        positions
    }

    /// Code and reason of the end, whatever comes before.
    pub(crate) async fn end(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(Some(CloseFrame { code, reason })) = self.frame().await {
                return (code.into(), reason.to_string());
            }
        }
    }

    /// Whatever comes next.
    pub(crate) async fn frame(&mut self) -> Message {
        let frame = timeout(PATIENCE, self.0.next()).await.expect("something comes");
        frame.expect("the connection stands").unwrap()
    }
}
