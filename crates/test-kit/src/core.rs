//! The core on one machine: chat-api, recurring-tasks and audit, each a process, wired with each other.

pub mod wiring;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use catalogue::{Service as Definition, services};

pub use self::wiring::{People, Ports, Wiring};
use crate::{Replica, Service, Topics};

/// Far more than anything takes on a quiet machine; a group that lost a member waits for the end of its session.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running core. Its processes are killed together with this value.
pub struct Core {
    /// The only writer of tasks.
    pub chat_api: Replica,
    /// Makes the next instance of a completed recurring task.
    pub recurring_tasks: Replica,
    /// Records every event.
    pub audit: Replica,
    /// What they are connected with. What is changed here counts from the next start of a service on.
    pub wiring: Wiring,
    /// The folder of the programs.
    programs: PathBuf,
}

/// The topics of the core for one test: with the names, partitions and dead letters of the catalogue.
pub async fn topics_of_test() -> Topics {
    topics_of_test_on(&crate::kafka_brokers()).await
}

/// The same on another broker: that of an [`EnginePair`](crate::EnginePair).
pub async fn topics_of_test_on(brokers: &str) -> Topics {
    let topics = wiring::topics();
    let topics = topics
        .iter()
        .map(|topic| (topic.name, topic.default_partitions.cast_signed()));
    Topics::create_on(brokers, &topics.collect::<Vec<_>>()).await
}

impl Core {
    /// Brings the schemas to what the programs in this folder need, starts one replica of each service, and waits until
    /// all are ready.
    pub async fn start(wiring: Wiring, programs: &Path) -> Self {
        migrate(&wiring, programs).await;
        let mut wiring = wiring;
        let chat_api = start(&wiring, programs, &services::CHAT_API, wiring.chat_api, &[]).await;
        // It keeps them when it starts again: the others know it by them.
        wiring.chat_api = chat_api.ports();
        let any = Ports::default();
        let (recurring_tasks, audit) = tokio::join!(
            start(&wiring, programs, &services::RECURRING_TASKS, any, &[]),
            start(&wiring, programs, &services::AUDIT, any, &[]),
        );
        let core = Self {
            chat_api,
            recurring_tasks,
            audit,
            wiring,
            programs: programs.to_owned(),
        };
        core.becomes_ready().await;
        core
    }

    /// Waits until all three are ready.
    pub async fn becomes_ready(&self) {
        for replica in [&self.chat_api, &self.recurring_tasks, &self.audit] {
            replica.becomes_ready().await;
        }
    }

    /// The replica that [`Core::start`] has started of this service.
    pub fn replica(&mut self, service: &Definition) -> &mut Replica {
        match service.app_id {
            id if id == services::CHAT_API.app_id => &mut self.chat_api,
            id if id == services::RECURRING_TASKS.app_id => &mut self.recurring_tasks,
            id if id == services::AUDIT.app_id => &mut self.audit,
            other => panic!("{other} is not of the core"),
        }
    }

    /// Kills the replica of a service where it still runs, and starts another in its place with these variables besides
    /// the usual ones. Does not wait until it is ready: with a crash point it may never be.
    pub async fn restart(&mut self, service: &'static Definition, more: &[(&'static str, &str)]) {
        let ports = if service.app_id == services::CHAT_API.app_id {
            self.wiring.chat_api
        } else {
            Ports::default()
        };
        self.replica(service).process.kill(); // its ports are free from here on
        let replica = start(&self.wiring, &self.programs, service, ports, more).await;
        *self.replica(service) = replica;
    }

    /// Starts one more replica of a service, on free ports, with these variables besides the usual ones.
    pub async fn another(&self, service: &'static Definition, more: &[(&'static str, &str)]) -> Replica {
        start(&self.wiring, &self.programs, service, Ports::default(), more).await
    }

    /// Runs one command of a service that is not `serve`, such as `verify` of audit.
    pub fn run(&self, service: &Definition, command: &str) -> Service {
        run(&self.wiring, &self.programs, service, command)
    }
}

async fn start(
    wiring: &Wiring,
    programs: &Path,
    service: &Definition,
    ports: Ports,
    more: &[(&'static str, &str)],
) -> Replica {
    let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let variables = wiring.variables(service, ports).into_iter().chain(more);
    let process = Service::start(&programs.join(service.app_id), &["serve"], variables);
    Replica::of(process, service).await
}

/// Runs `migrate` of all services, at once as in a cluster.
async fn migrate(wiring: &Wiring, programs: &Path) {
    let mut migrations = wiring::SERVICES.map(|service| run(wiring, programs, service, "migrate"));
    for (migration, service) in migrations.iter_mut().zip(wiring::SERVICES) {
        let status = migration.exit(PATIENCE).await;
        assert!(status.success(), "{} migrate: {status}", service.app_id);
    }
}

fn run(wiring: &Wiring, programs: &Path, service: &Definition, command: &str) -> Service {
    let variables = wiring.variables(service, Ports::default());
    Service::start(&programs.join(service.app_id), &[command], variables)
}
