//! Engines whose files outlive their containers: for a person who comes back, not for a test.

use std::{convert::Infallible, path::Path, time::Duration};

use testcontainers::{
    ContainerRequest, GenericImage, ImageExt as _,
    bollard::query_parameters::{
        ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
    },
    core::{Mount, client::docker_client_instance},
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Engine, EnginePair, KAFKA_FOLDER, Kind, POSTGRES_FOLDER, remove_orphans};

/// What a container carries that uses kept files: their name.
const KEPT_LABEL: &str = "dev.taskflow.kept";
/// How Kafka keeps files.
pub(super) const KAFKA_SETTINGS: &[(&str, &str)] = &[
    ("LOG_DIRS", KAFKA_FOLDER),
    // A broker that was killed may come back only when the session of the one before is over: by default after 9 s.
    ("BROKER_SESSION_TIMEOUT_MS", "3000"),
    ("BROKER_HEARTBEAT_INTERVAL_MS", "500"),
];
/// Time between two looks whether an engine still runs.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Seconds in which an engine closes its files before it is killed.
const STOP_SECONDS: i32 = 15;

/// The files of a PostgreSQL and a Kafka: two volumes of Docker. Only one pair may use them at a time, and whoever calls
/// sees to that.
pub struct Kept {
    name: String,
}

impl Kept {
    /// Those that belong to this folder, which must exist. They are not in it, and need not be there yet.
    pub fn of(folder: &Path) -> Self {
        let folder = folder.canonicalize().expect("the folder exists");
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, folder.as_os_str().as_encoded_bytes());
        Self {
            name: format!("taskflow-{}", id.simple()),
        }
    }

    /// Starts engines on these files, with the durability that they have in production. Containers of somebody who used
    /// the files before and was killed are removed.
    pub async fn start(&self) -> EnginePair {
        remove_orphans().await;
        self.remove_containers().await;
        let (postgres, kafka) = tokio::join!(Engine::postgres(&[], Some(self)), Engine::kafka(Some(self)));
        EnginePair { postgres, kafka }
    }

    /// The containers that use these files.
    pub async fn containers(&self) -> Vec<String> {
        let Ok(docker) = docker_client_instance().await else {
            return Vec::new(); // whoever starts a container next says it better
        };
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let all = docker.list_containers(Some(options)).await.unwrap_or_default();
        all.into_iter()
            .filter(|container| container.labels.as_ref().and_then(|it| it.get(KEPT_LABEL)) == Some(&self.name))
            .filter_map(|container| container.id)
            .collect()
    }

    /// Removes the containers that use these files, and leaves the files.
    pub async fn remove_containers(&self) {
        for id in self.containers().await {
            let docker = docker_client_instance().await.expect("Docker has just answered");
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            // Its own client may be removing it at this moment.
            let _ = docker.remove_container(&id, Some(options)).await;
        }
    }

    /// Removes the files, and the containers that use them.
    pub async fn forget(&self) {
        self.remove_containers().await;
        let docker = docker_client_instance().await.expect("Docker answers");
        for kind in [Kind::Postgres, Kind::Kafka] {
            let options = RemoveVolumeOptionsBuilder::default().force(true).build();
            let volume = self.volume(kind);
            docker
                .remove_volume(&volume, Some(options))
                .await
                .unwrap_or_else(|error| panic!("could not remove the volume {volume}: {error}"));
        }
    }

    /// A container that uses the files.
    pub(super) fn keep(&self, kind: Kind, request: ContainerRequest<GenericImage>) -> ContainerRequest<GenericImage> {
        let folder = match kind {
            Kind::Postgres => POSTGRES_FOLDER,
            Kind::Kafka => KAFKA_FOLDER,
        };
        request
            .with_label(KEPT_LABEL, &self.name)
            .with_mount(Mount::volume_mount(self.volume(kind), folder))
    }

    fn volume(&self, kind: Kind) -> String {
        let suffix = match kind {
            Kind::Postgres => "postgres",
            Kind::Kafka => "kafka",
        };
        format!("{}-{suffix}", self.name)
    }
}

impl EnginePair {
    /// Starts each of them again whenever it has ended, and tells so in a sentence, for as long as this is awaited.
    pub async fn keep_running(&self, tell: impl Fn(&str)) -> Infallible {
        let keep = async |engine: &Engine, name: &str| loop {
            // Docker that does not answer at this moment says nothing about the engine.
            if !engine.container.is_running().await.unwrap_or(true) {
                tell(&format!("{name} has ended. Starting it again."));
                let begin = Instant::now();
                engine.start().await;
                let seconds = begin.elapsed().as_secs_f32();
                tell(&format!("{name} serves again, after {seconds:.1} s."));
            }
            sleep(LOOK_EVERY).await;
        };
        tokio::select! {
            never = keep(&self.postgres, "PostgreSQL") => never,
            never = keep(&self.kafka, "Kafka") => never,
        }
    }

    /// Lets both close their files before they go, so that the next start has nothing to repair.
    pub async fn stop(self) {
        let stop = async |engine: &Engine| {
            // One that is gone needs no stopping, and any other is killed when the value is dropped.
            let _ = engine.container.stop_with_timeout(Some(STOP_SECONDS)).await;
        };
        tokio::join!(stop(&self.postgres), stop(&self.kafka));
    }
}
