//! A message on its way to clients: written once, shared by all of them.

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::Bytes;
use jiff::Timestamp;

/// A message on its way to clients.
#[derive(Debug)]
pub(crate) struct Note {
    /// Its type.
    pub(crate) name: &'static str,
    /// The JSON of it.
    pub(crate) text: Utf8Bytes,
    /// The position of the client once it has this.
    pub(crate) sequence: Option<u64>,
    /// When what it tells of happened; none for what no event caused.
    pub(crate) happened: Option<Timestamp>,
}

impl Note {
    /// What it takes in memory, about.
    pub(crate) fn size(&self) -> usize {
        const BESIDE_THE_TEXT: usize = 160;
        self.text.len() + BESIDE_THE_TEXT
    }

    /// As a message of a websocket.
    pub(crate) fn to_frame(&self) -> Message {
        Message::Text(self.text.clone())
    }

    /// As a server-sent event. JSON has no line breaks.
    pub(crate) fn to_server_sent_event(&self) -> Bytes {
        let id = self
            .sequence
            .map(|sequence| format!("id: {sequence}\n"))
            .unwrap_or_default();
        format!("event: {}\n{id}data: {}\n\n", self.name, self.text.as_str()).into()
    }

    /// Seconds since what it tells of happened.
    pub(crate) fn age_seconds(&self) -> Option<f64> {
        let age = Timestamp::now().duration_since(self.happened?);
        // Clocks of two machines differ.
        Some(age.as_secs_f64().max(0.0))
    }
}
