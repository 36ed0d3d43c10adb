//! The open connections of a listener: how many there are, and which has been idle for longest.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The open connections of a listener, at most as many as allowed.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    limit: usize,
    state: Arc<Mutex<State>>,
    open: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    /// Idle connections by the moment in which they became so.
    idle: BTreeMap<Moment, CancellationToken>,
    next: Moment,
}

type Moment = u64;

/// An open connection; dropped when it is closed.
#[derive(Debug)]
pub(super) struct Connection {
    connections: Connections,
    /// Cancelled when it must go, to make place for another.
    evicted: CancellationToken,
    idle_since: Mutex<Option<Moment>>,
}

/// A request that is being answered on a connection, to the last byte of the answer.
#[derive(Debug)]
pub(super) struct Busy(Arc<Connection>);

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            state: Arc::default(),
            open: watch::Sender::new(0),
        }
    }

    /// A place for a new connection; the connection that was idle for longest goes when all are taken. `None` when
    /// every connection is busy.
    pub(super) fn admit(&self) -> Option<Arc<Connection>> {
        if *self.open.borrow() >= self.limit {
            let (_, evicted) = self.state().idle.pop_first()?;
            evicted.cancel();
        }
        self.open.send_modify(|open| *open += 1);
        let connection = Connection {
            connections: self.clone(),
            evicted: CancellationToken::new(),
            idle_since: Mutex::default(),
        };
        connection.rest();
        Some(Arc::new(connection))
    }

    /// How many are open.
    pub(super) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Waits until none is open.
    pub(super) async fn none_open(&self) {
        // It cannot fail: this holds a sender.
        drop(self.open.subscribe().wait_for(|open| *open == 0).await);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Ends when the connection must go.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
    }

    /// Counts the connection as busy until the guard is dropped.
    pub(super) fn busy(self: &Arc<Self>) -> Busy {
        self.leave();
        Busy(Arc::clone(self))
    }

    /// Becomes idle.
    fn rest(&self) {
        let mut state = self.connections.state();
        let moment = state.next;
        state.next += 1;
        state.idle.insert(moment, self.evicted.clone());
        *self.idle_since() = Some(moment);
    }

    /// Is idle no longer.
    fn leave(&self) {
        if let Some(moment) = self.idle_since().take() {
            self.connections.state().idle.remove(&moment);
        }
    }

    fn idle_since(&self) -> MutexGuard<'_, Option<Moment>> {
        self.idle_since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
        self.connections.open.send_modify(|open| *open -= 1);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.rest();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_evicted(connection: &Connection) -> bool {
        connection.evicted.is_cancelled()
    }

    #[test]
    fn the_connection_that_was_idle_for_longest_makes_place() {
        let connections = Connections::new(2);
        let (first, second) = (connections.admit().unwrap(), connections.admit().unwrap());
        // A request makes the first one young again.
        drop(first.busy());
        let third = connections.admit().unwrap();
        assert!(is_evicted(&second) && !is_evicted(&first) && !is_evicted(&third));
    }

    #[test]
    fn a_busy_connection_stays_and_keeps_others_out() {
        let connections = Connections::new(1);
        let only = connections.admit().unwrap();
        let busy = only.busy();
        assert!(connections.admit().is_none());
        assert!(!is_evicted(&only));
        drop(busy);
        assert!(connections.admit().is_some());
        assert!(is_evicted(&only));
    }

    #[test]
    fn a_closed_connection_leaves_its_place() {
        let connections = Connections::new(1);
        drop(connections.admit());
        assert_eq!(connections.open(), 0);
        assert!(connections.admit().is_some());
    }

    #[test]
    fn no_connection_is_evicted_below_the_limit() {
        let connections = Connections::new(3);
        let all: Vec<_> = (0..3).map(|_| connections.admit().unwrap()).collect();
        assert!(all.iter().all(|it| !is_evicted(it)));
        assert_eq!(connections.open(), 3);
    }
}
