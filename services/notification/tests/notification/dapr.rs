//! The service behind a real sidecar, with jobs at a real Scheduler, and the resources that the generator writes.

mod burst;
mod deaths;
mod jobs;

use catalogue::app_ids;
use test_kit::{
    Resources, Scheduler, Sidecar, free_port,
    sidecar::{API_TOKEN, APP_TOKEN},
};

use crate::world::{Replica, World};

/// What one test has for itself: besides the world, what Dapr consists of.
struct Behind {
    world: World,
    scheduler: Scheduler,
    sidecar: Sidecar,
    /// Where the sidecar calls the service.
    port: u16,
}

impl Behind {
    async fn start() -> Self {
        Self::around(World::new().await).await
    }

    async fn around(world: World) -> Self {
        let (scheduler, port) = (Scheduler::start().await, free_port());
        let resources = Resources::of_test(&world.topics);
        let sidecar = Sidecar::start_with_jobs(app_ids::NOTIFICATION, port, &resources, &scheduler);
        Self {
            world,
            scheduler,
            sidecar,
            port,
        }
    }

    /// Starts the service, and waits until it and its sidecar work.
    async fn replica(&self) -> Replica {
        let replica = self.replica_with(&[]).await;
        replica.becomes_ready().await;
        self.sidecar.becomes_ready().await;
        replica
    }

    /// Starts it with these variables besides those that it needs, or in their place.
    async fn replica_with(&self, more: &[(&'static str, &str)]) -> Replica {
        let (endpoint, port) = (self.sidecar.endpoint(), self.port.to_string());
        let dapr = [
            ("TASKFLOW_BUS", "dapr"),
            ("TASKFLOW_DAPR_HTTP_ENDPOINT", &endpoint),
            ("DAPR_API_TOKEN", API_TOKEN),
            ("APP_API_TOKEN", APP_TOKEN),
            ("TASKFLOW_INTERNAL_PORT", &port),
        ];
        self.world.start_with(&[&dapr, more].concat()).await
    }
}
