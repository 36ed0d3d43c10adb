//! A handler that writes down what it is given, and answers as it is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use event_bus::{Cause, Delivery, Handler, Outcome};
use test_kit::wait_until;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::support::PATIENCE;

/// What to do with a delivery.
pub(crate) enum Answer {
    /// Apply the event, once.
    Apply,
    /// Apply it when this has a permit.
    ApplyAfter(Arc<Semaphore>),
    /// This outcome.
    Say(Outcome),
    /// Panic.
    Panic,
    /// Never answer.
    Hang,
}

/// Says what to do with a delivery of this task, the n-th one (from 1) of this event.
type Script = Box<dyn Fn(i64, usize) -> Answer + Send + Sync>;

/// Everything that was delivered and applied, by all replicas that share it.
pub(crate) struct Journal {
    script: Script,
    /// What the handler answers when it is asked.
    available: Arc<AtomicBool>,
    /// How often it was asked.
    pub(crate) asked: AtomicUsize,
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    deliveries: BTreeMap<Uuid, usize>,
    applied: BTreeMap<i64, Vec<i64>>,
    inbox: BTreeSet<Uuid>,
    duplicates: usize,
    in_progress: BTreeSet<i64>,
    overlaps: Vec<i64>,
}

impl Journal {
    /// Answers as the script says.
    pub(crate) fn scripted(script: impl Fn(i64, usize) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Self::scripted_with(Arc::new(AtomicBool::new(true)), script)
    }

    /// The same, available as long as this says so.
    pub(crate) fn scripted_with(
        available: Arc<AtomicBool>,
        script: impl Fn(i64, usize) -> Answer + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            available,
            asked: AtomicUsize::new(0),
            pages: Mutex::default(),
        })
    }

    /// Applies everything.
    pub(crate) fn applying() -> Arc<Self> {
        Self::scripted(|_, _| Answer::Apply)
    }

    /// The versions of a task in the order in which they were applied.
    pub(crate) fn applied(&self, task: i64) -> Vec<i64> {
        self.pages
            .lock()
            .unwrap()
            .applied
            .get(&task)
            .cloned()
            .unwrap_or_default()
    }

    /// How many events were applied.
    pub(crate) fn applied_count(&self) -> usize {
        self.pages.lock().unwrap().applied.values().map(Vec::len).sum()
    }

    /// How often an event was delivered.
    pub(crate) fn deliveries(&self, event: Uuid) -> usize {
        self.pages
            .lock()
            .unwrap()
            .deliveries
            .get(&event)
            .copied()
            .unwrap_or_default()
    }

    /// How many deliveries there were in all.
    pub(crate) fn delivery_count(&self) -> usize {
        self.pages.lock().unwrap().deliveries.values().sum()
    }

    /// How many deliveries of an event came after it was applied.
    pub(crate) fn duplicates(&self) -> usize {
        self.pages.lock().unwrap().duplicates
    }

    /// The tasks of which two events were handled at the same time.
    pub(crate) fn overlaps(&self) -> Vec<i64> {
        self.pages.lock().unwrap().overlaps.clone()
    }

    pub(crate) async fn has_applied(&self, count: usize) {
        wait_until(&format!("{count} events are applied"), PATIENCE, async || {
            let applied = self.applied_count();
            if applied >= count {
                Ok(())
            } else {
                Err(format!("{applied} are"))
            }
        })
        .await;
    }

    pub(crate) async fn has_applied_version(&self, task: i64, version: i64) {
        wait_until(
            &format!("version {version} of task {task} is applied"),
            PATIENCE,
            async || {
                let applied = self.applied(task);
                if applied.contains(&version) {
                    Ok(())
                } else {
                    Err(format!("{applied:?} are"))
                }
            },
        )
        .await;
    }

    pub(crate) async fn was_given(&self, event: Uuid, times: usize) {
        wait_until(&format!("{event} is delivered {times} times"), PATIENCE, async || {
            let deliveries = self.deliveries(event);
            if deliveries >= times {
                Ok(())
            } else {
                Err(format!("it was {deliveries} times"))
            }
        })
        .await;
    }

    fn apply(&self, task: i64, version: i64, event: Uuid) -> Outcome {
        let mut pages = self.pages.lock().unwrap();
        let duplicate = !pages.inbox.insert(event);
        if duplicate {
            pages.duplicates += 1;
        } else {
            pages.applied.entry(task).or_default().push(version);
        }
        Outcome::Done { duplicate }
    }

    fn begin(&self, task: i64, event: Uuid) -> usize {
        let mut pages = self.pages.lock().unwrap();
        if !pages.in_progress.insert(task) {
            pages.overlaps.push(task);
        }
        let deliveries = pages.deliveries.entry(event).or_default();
        *deliveries += 1;
        *deliveries
    }
}

/// Ends also when the delivery is dropped in the middle.
struct InProgress<'a>(&'a Journal, i64);

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        // A handler that panics is one of the cases.
        let mut pages = self.0.pages.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        pages.in_progress.remove(&self.1);
    }
}

impl Handler for Journal {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let event = &delivery.event;
        let (task, version, id) = (event.task_id().get(), event.sequence().get(), event.context.id.get());
        let nth = self.begin(task, id);
        let _in_progress = InProgress(self, task);
        // Others get a chance to do what they must not do now.
        tokio::task::yield_now().await;
        match (self.script)(task, nth) {
            Answer::Apply => self.apply(task, version, id),
            Answer::ApplyAfter(gate) => {
                let _open = gate.acquire().await.unwrap();
                self.apply(task, version, id)
            }
            Answer::Say(outcome) => outcome,
            Answer::Panic => panic!("told to"),
            Answer::Hang => pending().await,
        }
    }

    async fn available(&self) -> bool {
        self.asked.fetch_add(1, SeqCst);
        self.available.load(SeqCst)
    }
}

/// Not now, for a reason of its own.
pub(crate) fn failed() -> Outcome {
    Outcome::Retry(Cause::failed(&std::io::Error::other("the disk is full")))
}
