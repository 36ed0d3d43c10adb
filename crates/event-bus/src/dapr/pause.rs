//! Holding deliveries while something that the handler needs is away.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{meters::Holds, work::Work};

/// Pause between two looks whether what was away is back.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Time in which the handler must say whether it is available; silence means that it is not.
const AVAILABILITY_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether deliveries are held. A request that is held may end at any time, when the sidecar loses its patience: who
/// looks whether things are back is nobody's request.
pub(super) struct Pause<H> {
    handler: Arc<H>,
    paused: watch::Sender<bool>,
    holds: Holds,
    stop: CancellationToken,
}

impl<H: Work> Pause<H> {
    pub(super) fn new(handler: Arc<H>, holds: Holds, stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            handler,
            paused: watch::Sender::new(false),
            holds,
            stop,
        })
    }

    /// Whether the handler has what it needs.
    pub(super) async fn is_available(&self) -> bool {
        let available = timeout(AVAILABILITY_TIMEOUT, self.handler.is_available());
        available.await.unwrap_or(false)
    }

    /// Holds all deliveries until the handler has what it needs.
    pub(super) fn begin(self: &Arc<Self>) {
        if self.paused.send_replace(true) {
            return; // somebody looks already
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let _hold = this.holds.begin();
            let until_back = async {
                loop {
                    sleep(LOOK_EVERY).await;
                    if this.is_available().await {
                        return;
                    }
                }
            };
            this.stop.run_until_cancelled(until_back).await;
            this.paused.send_replace(false);
        });
    }

    /// Waits while deliveries are held.
    pub(super) async fn over(&self) {
        let mut paused = self.paused.subscribe();
        // The sender lives as long as this.
        let _over = paused.wait_for(|paused| !paused).await;
    }
}
