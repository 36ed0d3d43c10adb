//! How a writer tells the relay that there is something to publish.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sqlx::{Postgres, Transaction};
use tokio::sync::Notify;

/// Rung after a commit with appended events; clones are the same bell.
///
/// Ringing is cheap, never waits, and may be forgotten: the relay looks by itself once per poll interval. Many rings are
/// heard as one.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Ears>);

/// Who listens to a bell.
#[derive(Debug, Default)]
struct Ears {
    own_relay: Notify,
    other_relays: Notify,
    /// No other relay owns a slot, so nobody else needs to hear it.
    alone: AtomicBool,
}

impl Bell {
    /// A bell for one process: its writers ring it, its relay hears it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes the relay of this process, and those of other replicas that own slots.
    pub fn ring(&self) {
        self.ring_here();
        // Order between this load and the store in `set_alone` does not matter: whoever gains a slot reads it.
        if !self.0.alone.load(Ordering::Relaxed) {
            self.0.other_relays.notify_one();
        }
    }

    /// Wakes the relay of this process only.
    pub(crate) fn ring_here(&self) {
        self.0.own_relay.notify_one();
    }

    /// Waits for a ring, or returns at once when one was not heard yet.
    pub(crate) async fn heard_here(&self) {
        self.0.own_relay.notified().await;
    }

    /// Waits for a ring that other replicas should hear.
    pub(crate) async fn heard_for_others(&self) {
        self.0.other_relays.notified().await;
    }

    pub(crate) fn set_alone(&self, alone: bool) {
        self.0.alone.store(alone, Ordering::Relaxed);
    }
}

/// Commits a transaction that may have appended events, and rings the bell.
pub async fn commit(transaction: Transaction<'_, Postgres>, bell: &Bell) -> sqlx::Result<()> {
    transaction.commit().await?;
    bell.ring();
    Ok(())
}
