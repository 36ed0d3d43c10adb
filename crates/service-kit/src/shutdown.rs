//! Stopping: who asks for it, who hears of it, and who is waited for.
//!
//! Every long-running piece of a service is one of its [`Tasks`]: it is told to stop by a token, it is waited for, and
//! when it ends unasked the whole process stops and says so in its exit code. A replica that has quietly lost its
//! relay is worse than one that restarts.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    error::Error,
    io,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use futures::FutureExt as _;
use tokio::{
    signal::unix::{self, SignalKind},
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::telemetry::chain;

/// Errors of any kind, from tasks and from starting a service.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The long-running tasks of a process. Clones are handles to the same tasks.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    stop: CancellationToken,
    answered: CancellationToken,
    tracker: TaskTracker,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What runs, by the order of starting.
    running: Mutex<BTreeMap<u64, &'static str>>,
    started: AtomicU64,
    failed: AtomicBool,
}

/// Tasks that did not end in time.
#[derive(Debug, thiserror::Error)]
#[error("still running: {}", .0.join(", "))]
pub struct StillRunning(
    /// Their names, in the order of starting.
    pub Vec<&'static str>,
);

impl Tasks {
    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when the process begins to stop; cancelling it makes the process stop.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Cancelled after [`Tasks::stop`], when no request is left that could begin something: for a task that finishes
    /// what requests have begun.
    #[must_use]
    pub fn answered(&self) -> &CancellationToken {
        &self.answered
    }

    /// Whether a task has ended unasked, failed or panicked.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.state.failed.load(Ordering::Relaxed)
    }

    /// Runs a task that goes on until [`Tasks::stop`] is cancelled. When it ends before, fails or panics, that is
    /// logged, and the process stops with exit code 1.
    pub fn spawn<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let (stop, state) = (self.stop.clone(), Arc::clone(&self.state));
        let order = state.started.fetch_add(1, Ordering::Relaxed);
        state.running().insert(order, name);
        self.tracker.spawn(async move {
            let ended = AssertUnwindSafe(task).catch_unwind().await;
            state.running().remove(&order);
            match ended {
                Ok(Ok(())) if stop.is_cancelled() => return,
                Ok(Ok(())) => tracing::error!(task = name, "task {name} ended unasked"),
                Ok(Err(error)) => {
                    let error = chain(&*error.into());
                    tracing::error!(task = name, error, "task {name} failed: {error}");
                }
                // The hook has logged the panic itself.
                Err(_) => tracing::error!(task = name, "task {name} panicked"),
            }
            state.failed.store(true, Ordering::Relaxed);
            stop.cancel();
        });
    }

    /// As [`Tasks::spawn`], for a task that cannot fail.
    pub fn spawn_infallible<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn(name, task.map(Ok::<(), Infallible>));
    }

    /// Waits for every task to end, which they do once [`Tasks::stop`] and [`Tasks::answered`] are cancelled.
    ///
    /// # Errors
    /// When some still run at the deadline.
    pub async fn finish(&self, deadline: Instant) -> Result<(), StillRunning> {
        self.tracker.close();
        let ended = timeout_at(deadline, self.tracker.wait()).await;
        ended.map_err(|_| StillRunning(self.state.running().values().copied().collect()))
    }
}

impl State {
    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, &'static str>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the operating system asks a process to stop with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// `SIGTERM`
    Terminate,
    /// `SIGINT`
    Interrupt,
}

impl StopSignal {
    /// The exit code of a process that this signal ended at once.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        128 + match self {
            Self::Terminate => 15,
            Self::Interrupt => 2,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
        }
    }
}

/// Cancels the token at the first signal to stop, and ends the process at the second.
///
/// # Errors
/// When signals cannot be listened to.
pub fn stop_on_signal(stop: CancellationToken) -> io::Result<()> {
    let mut terminate = unix::signal(SignalKind::terminate())?;
    let mut interrupt = unix::signal(SignalKind::interrupt())?;
    // Not one of the tasks: it waits for a second signal while they are waited for.
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => StopSignal::Terminate,
                _ = interrupt.recv() => StopSignal::Interrupt,
            }
        };
        let signal = next().await.as_str();
        tracing::info!(signal, "stopping on {signal}");
        stop.cancel();
        let signal = next().await;
        tracing::warn!(
            signal = signal.as_str(),
            "ending at once on a second {}",
            signal.as_str()
        );
        std::process::exit(signal.exit_code().into());
    });
    Ok(())
}

#[cfg(test)]
mod tests;
