//! People at work: they create, change, complete, reopen and delete, each with devices of their own.

mod device;
mod shared;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use test_kit::wait_until;
use tokio::{
    task::JoinSet,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use self::{device::Device, shared::SharedTask};
use crate::{
    ledger::Ledger,
    world::{PATIENCE, World},
};

/// How many people there are.
const PEOPLE: u64 = 3;
/// How many devices of one person write to the same task.
const SHARING: usize = 2;
/// Time between two acts of one device: people are slower, and two cores have other things to do.
const PACE: Duration = Duration::from_millis(20);
/// The same for those that share a task, whose text grows with each act.
const PACE_OF_SHARING: Duration = Duration::from_millis(60);

/// People at work, until they are told to stop.
pub struct Workload {
    stop: CancellationToken,
    acts: Arc<AtomicUsize>,
    devices: JoinSet<Ledger>,
}

impl Workload {
    /// Begins. The seed says who does what.
    pub fn begin(world: &World, seed: u64) -> Self {
        let mut workload = Self {
            stop: CancellationToken::new(),
            acts: Arc::default(),
            devices: JoinSet::new(),
        };
        for number in 0..PEOPLE {
            let name = format!("person-{number}");
            let person = world.person(&name);
            for device in 0..SHARING {
                workload.share(SharedTask::new(person.clone(), device));
            }
            workload.run(Device::new(person, name, seed * 100 + number));
        }
        workload
    }

    /// Waits until so many more acts were acknowledged, those on shared tasks not counted.
    pub async fn goes_on(&self, more: usize) {
        let goal = self.acts() + more;
        wait_until(
            &format!("{goal} acts are acknowledged"),
            PATIENCE,
            async || match self.acts() {
                acts if acts >= goal => Ok(()),
                acts => Err(format!("{acts} acts")),
            },
        )
        .await;
    }

    /// How many acts were acknowledged.
    pub fn acts(&self) -> usize {
        self.acts.load(Relaxed)
    }

    /// Lets everybody finish what they are at; given back is what they know then.
    pub async fn finish(self) -> Ledger {
        self.stop.cancel();
        let mut all = Ledger::default();
        for ledger in self.devices.join_all().await {
            all.join(ledger);
        }
        all
    }

    fn run(&mut self, mut device: Device) {
        let (stop, acts) = (self.stop.clone(), Arc::clone(&self.acts));
        self.devices.spawn(async move {
            let mut pace = every(PACE);
            while stop.run_until_cancelled(pace.tick()).await.is_some() {
                device.act().await;
                acts.fetch_add(1, Relaxed);
            }
            device.ledger
        });
    }

    fn share(&mut self, mut shared: SharedTask) {
        let stop = self.stop.clone();
        self.devices.spawn(async move {
            let mut pace = every(PACE_OF_SHARING);
            while stop.run_until_cancelled(pace.tick()).await.is_some() {
                shared.add().await;
            }
            shared.into_ledger()
        });
    }
}

fn every(time: Duration) -> Interval {
    let mut pace = interval(time);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}
