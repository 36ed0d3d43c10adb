//! What is counted, begun at zero, and who is woken.

use std::sync::Arc;

use catalogue::metrics::{DLQ_ARRIVED_TOTAL, DLQ_REPLAY_FAILURES_TOTAL, DLQ_RESOLVED_TOTAL};
use metrics::Metrics;
use tokio::sync::Notify;

/// What the parts of the service tell each other and the world. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    metrics: Metrics,
    /// An action was begun.
    pub(crate) begun: Arc<Notify>,
    /// The table has changed.
    pub(crate) changed: Arc<Notify>,
}

impl Telling {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        Self {
            metrics: metrics.clone(),
            begun: Arc::default(),
            changed: Arc::default(),
        }
    }

    /// A letter was kept.
    pub(crate) fn arrived(&self, origin: &str) {
        self.metrics.counter(&DLQ_ARRIVED_TOTAL, &[origin]).inc();
        self.changed.notify_one();
    }

    /// What became of a letter: counted where it ends something, or where a replay failed.
    pub(crate) fn outcome(&self, origin: &str, outcome: &str) {
        match outcome {
            "replayed" | "superseded" | "discarded" => {
                self.metrics.counter(&DLQ_RESOLVED_TOTAL, &[origin, outcome]).inc();
                self.changed.notify_one();
            }
            "schema" | "loop" | "publish" => self.failed(origin, outcome),
            _ => {}
        }
    }

    /// A replay failed or was stopped: `loop`, `publish`, `schema` or `spike`.
    pub(crate) fn failed(&self, origin: &str, reason: &str) {
        self.metrics
            .counter(&DLQ_REPLAY_FAILURES_TOTAL, &[origin, reason])
            .inc();
    }
}
