//! A consumer that can be broken and mended, and applies each event once.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use catalogue::Service;
use event_bus::{BusSettings, Cause, ConsumeOptions, Delivery, Handler, Outcome, subscribe};
use test_kit::wait_until;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::world::{PATIENCE, World, metrics_of};

/// Task and version of an event.
pub(crate) type Applied = (i64, i64);

/// A running consumer.
pub(crate) struct Consumer {
    state: Arc<State>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct State {
    broken: AtomicBool,
    /// What is applied, in its order, once per event.
    applied: Mutex<(BTreeSet<uuid::Uuid>, Vec<Applied>)>,
    deliveries: Mutex<Vec<Applied>>,
    rejects: Mutex<BTreeSet<Applied>>,
}

struct Switch(Arc<State>);

impl Handler for Switch {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let event = &delivery.event;
        let this = (event.task_id().get(), event.sequence().get());
        self.0.deliveries.lock().unwrap().push(this);
        if self.0.broken.load(SeqCst) || self.0.rejects.lock().unwrap().contains(&this) {
            return Outcome::DeadLetter(Cause::rejected(format!("task {} is not what it should be", this.0)));
        }
        let mut applied = self.0.applied.lock().unwrap();
        let new = applied.0.insert(event.context.id.get());
        if new {
            applied.1.push(this);
        }
        Outcome::Done { duplicate: !new }
    }

    async fn available(&self) -> bool {
        true
    }
}

impl Consumer {
    /// Consumes in the place of this service.
    pub(crate) fn start(world: &World, service: &'static Service) -> Self {
        let state = Arc::<State>::default();
        let stop = CancellationToken::new();
        let subscribed = subscribe(
            service,
            BusSettings::Direct(world.kafka()),
            ConsumeOptions::new("replica-1"),
            Arc::new(Switch(Arc::clone(&state))),
            &metrics_of(service.app_id),
            stop.clone(),
        )
        .unwrap();
        let task = tokio::spawn(async move { subscribed.running.await.unwrap() });
        Self { state, stop, task }
    }

    pub(crate) fn is_broken(&self, broken: bool) {
        self.state.broken.store(broken, SeqCst);
    }

    /// Gives these up, and no others.
    pub(crate) fn rejects(&self, events: &[Applied]) {
        *self.state.rejects.lock().unwrap() = events.iter().copied().collect();
    }

    /// What it has applied so far, in its order.
    pub(crate) fn applied(&self) -> Vec<Applied> {
        self.state.applied.lock().unwrap().1.clone()
    }

    /// How often it was given an event.
    pub(crate) fn deliveries(&self, event: Applied) -> usize {
        self.state
            .deliveries
            .lock()
            .unwrap()
            .iter()
            .filter(|it| **it == event)
            .count()
    }

    /// Waits until it has applied so many.
    pub(crate) async fn has_applied(&self, count: usize) -> Vec<Applied> {
        wait_until(&format!("{count} events are applied"), PATIENCE, async || {
            let applied = self.applied();
            if applied.len() == count {
                Ok(applied)
            } else {
                Err(format!("{applied:?}"))
            }
        })
        .await
    }

    /// Waits until it has applied anything.
    pub(crate) async fn applies_something(&self) {
        wait_until("an event is applied", PATIENCE, async || {
            if self.applied().is_empty() { Err("none") } else { Ok(()) }
        })
        .await;
    }

    /// The versions of a task in the order in which they were applied.
    pub(crate) fn versions(&self, task: i64) -> Vec<i64> {
        let applied = self.applied().into_iter();
        applied
            .filter(|(id, _)| *id == task)
            .map(|(_, version)| version)
            .collect()
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}
