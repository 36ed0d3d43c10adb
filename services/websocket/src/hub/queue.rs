//! What waits to be written to one client. Bounded: a client that is too slow is told so and dropped, and costs the
//! others nothing.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{close::Farewell, message::Note};

/// Notes that may wait: more than a stream remembers, so that whoever resumes is not slow at once.
const NOTES: usize = 512;
/// Bytes that may wait.
const BYTES: usize = 512 * 1024;

/// What waits to be written to one client.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    notes: VecDeque<Arc<Note>>,
    bytes: usize,
    farewell: Option<Farewell>,
}

/// What is to be done next for a client.
#[derive(Debug)]
pub(crate) enum Next {
    /// Write this.
    Note(Arc<Note>),
    /// End the connection.
    Farewell(Farewell),
}

impl Queue {
    /// Adds a note. When there is no room, the client is too slow: what waits is thrown away.
    pub(crate) fn push(&self, note: &Arc<Note>) {
        let mut state = self.state();
        if state.farewell.is_some() {
            return;
        }
        let full = state.notes.len() >= NOTES || state.bytes + note.size() > BYTES;
        if full && !state.notes.is_empty() {
            state.notes = VecDeque::new();
            state.farewell = Some(Farewell::Slow);
        } else {
            state.bytes += note.size();
            state.notes.push_back(Arc::clone(note));
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Ends the connection behind what waits.
    pub(crate) fn say(&self, farewell: Farewell) {
        self.state().farewell.get_or_insert(farewell);
        self.changed.notify_one();
    }

    /// Whether the connection ends.
    pub(crate) fn farewell(&self) -> Option<Farewell> {
        self.state().farewell
    }

    /// What is to be done next. Only one may wait for it. Nothing is lost when this is dropped before it is done.
    pub(crate) async fn next(&self) -> Next {
        loop {
            if let Some(next) = self.take() {
                return next;
            }
            self.changed.notified().await;
        }
    }

    /// Ends when the connection is to end without writing what waits.
    pub(crate) async fn overflows(&self) {
        while self.farewell() != Some(Farewell::Slow) {
            self.changed.notified().await;
        }
    }

    fn take(&self) -> Option<Next> {
        let mut state = self.state();
        if let Some(note) = state.notes.pop_front() {
            state.bytes -= note.size();
            if state.notes.is_empty() {
                // A client that is quiet keeps no memory for its busy times.
                state.notes = VecDeque::new();
            }
            return Some(Next::Note(note));
        }
        state.farewell.map(Next::Farewell)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(text: &str) -> Arc<Note> {
        Arc::new(Note {
            name: "change",
            text: text.into(),
            sequence: Some(1),
            happened: None,
        })
    }

    #[tokio::test]
    async fn what_waits_comes_before_the_farewell() {
        let queue = Queue::default();
        queue.push(&note("a"));
        queue.say(Farewell::Restarting);
        queue.push(&note("b"));
        assert!(matches!(queue.next().await, Next::Note(it) if it.text.as_str() == "a"));
        assert!(matches!(queue.next().await, Next::Farewell(Farewell::Restarting)));
    }

    #[tokio::test]
    async fn a_client_for_which_too_much_waits_is_slow() {
        let queue = Queue::default();
        for _ in 0..NOTES {
            queue.push(&note("a"));
        }
        assert_eq!(queue.farewell(), None);
        queue.push(&note("a"));
        queue.overflows().await;
        assert!(matches!(queue.next().await, Next::Farewell(Farewell::Slow)));
    }

    #[tokio::test]
    async fn one_large_note_is_never_too_much() {
        let queue = Queue::default();
        queue.push(&note(&"a".repeat(2 * BYTES)));
        assert!(matches!(queue.next().await, Next::Note(_)));
        queue.push(&note(&"a".repeat(BYTES / 2)));
        queue.push(&note(&"a".repeat(BYTES / 2)));
        assert_eq!(queue.farewell(), Some(Farewell::Slow));
    }
}
