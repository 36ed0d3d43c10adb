//! PostgreSQL and Kafka in containers, for those who start engines: the program `engines` once per run, and each kill
//! test for a pair of its own.
//!
//! A container carries the process id of its owner as a label, so that the containers of a dead owner are recognised
//! and removed by the next one.

pub mod kept;

use std::{fmt::Display, str::FromStr as _, time::Duration};

use rdkafka::{ClientConfig, consumer::BaseConsumer, consumer::Consumer as _};
use rustix::process::{Pid, test_kill_process};
use sqlx::{Connection as _, PgConnection};
use testcontainers::{
    ContainerAsync, ContainerRequest, GenericImage, ImageExt as _,
    bollard::query_parameters::{
        KillContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
    },
    core::{CmdWaitFor, ExecCommand, IntoContainerPort as _, client::docker_client_instance},
    runners::AsyncRunner as _,
};
use tokio::{net::TcpStream, time::timeout};

use self::kept::Kept;
use crate::wait::{free_port, look_until};

/// The official images. Where no registry can be reached, `cargo xtask` builds stand-ins under the same names.
const POSTGRES_IMAGE: &str = include_str!("../../../tools/images/postgres/tag");
const KAFKA_IMAGE: &str = include_str!("../../../tools/images/kafka/tag");

/// Where files can be kept, in the official images as in the stand-ins.
const POSTGRES_FOLDER: &str = "/var/lib/postgresql/data";
const KAFKA_FOLDER: &str = "/var/lib/kafka/data";

const OWNER_LABEL: &str = "dev.taskflow.test.owner";
const PASSWORD: &str = "postgres"; // reachable from this machine only, for as long as the tests run
const PATIENCE: Duration = Duration::from_secs(90);

/// A PostgreSQL and a Kafka that one test owns and may kill. They are removed together with this value.
///
/// Needs Docker. Without, the test fails: to leave it out is the runner's decision (`-- --skip kill`).
pub struct EnginePair {
    /// PostgreSQL, with the durability that it has in production.
    pub postgres: Engine,
    /// Kafka: one broker, without automatic creation of topics.
    pub kafka: Engine,
}

impl EnginePair {
    /// Starts both, at the same time.
    pub async fn start() -> Self {
        remove_orphans().await;
        let (postgres, kafka) = tokio::join!(Engine::postgres(&[], None), Engine::kafka(None));
        Self { postgres, kafka }
    }

    /// Starts both for tests that never kill them: commits do not wait for the disk.
    pub async fn start_fast() -> Self {
        remove_orphans().await;
        let settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
        let (postgres, kafka) = tokio::join!(Engine::postgres(&settings, None), Engine::kafka(None));
        Self { postgres, kafka }
    }
}

/// An engine in a container of its own. Its address stays the same when it is killed and started again.
pub struct Engine {
    container: ContainerAsync<GenericImage>,
    kind: Kind,
    port: u16,
}

#[derive(Clone, Copy)]
enum Kind {
    Postgres,
    Kafka,
}

impl Engine {
    async fn postgres(settings: &[&str], kept: Option<&Kept>) -> Self {
        let port = free_port();
        let mut command = vec!["postgres", "-c", "max_connections=400", "-c", "shared_buffers=256MB"];
        for setting in settings {
            command.extend(["-c", setting]);
        }
        let request = image(POSTGRES_IMAGE)
            .with_env_var("POSTGRES_PASSWORD", PASSWORD)
            .with_cmd(command)
            .with_shm_size(256 << 20)
            .with_mapped_port(port, 5432.tcp());
        Self::run(Kind::Postgres, request, port, kept).await
    }

    async fn kafka(kept: Option<&Kept>) -> Self {
        // The port is the same inside and outside, so that one advertised address serves clients and the broker itself.
        let port = free_port();
        let address = format!("PLAINTEXT://127.0.0.1:{port}");
        let settings = [
            ("NODE_ID", "1"),
            ("PROCESS_ROLES", "broker,controller"),
            (
                "LISTENERS",
                &format!("PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093"),
            ),
            ("ADVERTISED_LISTENERS", &address),
            (
                "LISTENER_SECURITY_PROTOCOL_MAP",
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            ),
            ("CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
            ("CONTROLLER_QUORUM_VOTERS", "1@127.0.0.1:9093"),
            ("AUTO_CREATE_TOPICS_ENABLE", "false"),
            ("OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
            ("OFFSETS_TOPIC_NUM_PARTITIONS", "4"),
            ("TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
            ("TRANSACTION_STATE_LOG_MIN_ISR", "1"),
            // A test should wait for what it tests, not for the group.
            ("GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
            ("GROUP_MIN_SESSION_TIMEOUT_MS", "1000"),
            ("HEAP_OPTS", "-Xms256m -Xmx512m"),
        ];
        let mut request = image(KAFKA_IMAGE).with_mapped_port(port, port.tcp());
        let storage = match kept {
            Some(_) => kept::KAFKA_SETTINGS,
            None => &[("LOG_DIRS", "/tmp/kafka-logs")],
        };
        for (setting, value) in settings.iter().chain(storage) {
            request = request.with_env_var(format!("KAFKA_{setting}"), *value);
        }
        Self::run(Kind::Kafka, request, port, kept).await
    }

    async fn run(kind: Kind, request: ContainerRequest<GenericImage>, port: u16, kept: Option<&Kept>) -> Self {
        let request = match kept {
            Some(kept) => kept.keep(kind, request),
            None => request,
        };
        let container = request
            .with_label(OWNER_LABEL, std::process::id().to_string())
            .with_startup_timeout(PATIENCE)
            .with_host_config_modifier(|host| {
                // By default a container is published to the whole network.
                for binding in host
                    .port_bindings
                    .iter_mut()
                    .flatten()
                    .flat_map(|(_, bound)| bound)
                    .flatten()
                {
                    binding.host_ip = Some("127.0.0.1".to_owned());
                }
            })
            .start()
            .await
            .unwrap_or_else(|error| {
                panic!(
                    "could not start a container: {error}\n  Engines of one's own need Docker and the images that \
                     `cargo xtask test --only services` or `cargo xtask engines` prepares."
                )
            });
        let engine = Self { container, kind, port };
        engine.becomes_ready().await;
        engine
    }

    /// Where clients find it: `host:port` of the broker, or PostgreSQL's address as a superuser.
    pub fn address(&self) -> String {
        match self.kind {
            Kind::Postgres => format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}/postgres", self.port),
            Kind::Kafka => format!("127.0.0.1:{}", self.port),
        }
    }

    /// The same without the proxy of Docker in between, where the container's own network can be reached from here: for
    /// measurements, in which that proxy would use up a part of the machine.
    pub async fn direct_address(&self) -> String {
        if let Kind::Kafka = self.kind {
            return self.address(); // it names itself by its published address
        }
        let host = self.run_inside(&["hostname", "-i"]).await;
        let host = host.split_whitespace().next().unwrap_or_default();
        match timeout(Duration::from_secs(1), TcpStream::connect((host, 5432))).await {
            Ok(Ok(_)) => format!("postgres://postgres:{PASSWORD}@{host}:5432/postgres"),
            _ => self.address(),
        }
    }

    /// Runs a command inside the container, and gives back what it printed.
    pub async fn run_inside(&self, command: &[&str]) -> String {
        let command = ExecCommand::new(command.iter().copied()).with_cmd_ready_condition(CmdWaitFor::exit());
        let mut result = self.container.exec(command).await.expect("the container runs");
        let output = result.stdout_to_vec().await.expect("what it prints can be read");
        let code = result.exit_code().await.expect("Docker knows how it ended");
        let complaints = result.stderr_to_vec().await.unwrap_or_default();
        let (output, complaints) = (String::from_utf8_lossy(&output), String::from_utf8_lossy(&complaints));
        assert!(code == Some(0), "it ended with {code:?}: {output}{complaints}");
        output.into_owned()
    }

    /// SIGKILL, as when the machine's memory runs out. Its files stay.
    pub async fn kill(&self) {
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let docker = docker_client_instance().await.expect("Docker answered before");
        docker
            .kill_container(self.container.id(), Some(options))
            .await
            .expect("the container runs and can be killed");
    }

    /// Starts it again after [`kill`](Self::kill) and waits until it serves.
    pub async fn start(&self) {
        self.container
            .start()
            .await
            .expect("the container can be started again");
        self.becomes_ready().await;
    }

    /// Freezes it: connections stay open and nothing answers, as when a network swallows packets.
    pub async fn pause(&self) {
        self.container.pause().await.expect("the container can be paused");
    }

    /// Thaws it after [`pause`](Self::pause).
    pub async fn unpause(&self) {
        self.container.unpause().await.expect("the container can go on");
    }

    async fn becomes_ready(&self) {
        let outcome = look_until(PATIENCE, async || self.serves().await).await;
        if let Err(last) = outcome {
            let logs = [
                self.container.stdout_to_vec().await.unwrap_or_default(),
                self.container.stderr_to_vec().await.unwrap_or_default(),
            ]
            .concat();
            panic!(
                "{} does not serve: {last}\n{}",
                self.address(),
                String::from_utf8_lossy(&logs)
            );
        }
    }

    async fn serves(&self) -> Result<(), String> {
        if !self.container.is_running().await.map_err(text)? {
            return Err("the container has ended".to_owned());
        }
        match self.kind {
            Kind::Postgres => {
                let connection = PgConnection::connect(&self.address()).await.map_err(text)?;
                connection.close().await.map_err(text)
            }
            Kind::Kafka => {
                let client: BaseConsumer = ClientConfig::new()
                    .set("bootstrap.servers", self.address())
                    .create()
                    .map_err(text)?;
                tokio::task::spawn_blocking(move || client.fetch_metadata(None, Duration::from_secs(2)).map(drop))
                    .await
                    .map_err(text)?
                    .map_err(text)
            }
        }
    }
}

fn image(name_and_tag: &str) -> GenericImage {
    let (name, tag) = name_and_tag.trim().rsplit_once(':').expect("the file holds name:tag");
    GenericImage::new(name, tag)
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// Removes the containers whose owner is dead: a run that was killed leaves them behind.
pub async fn remove_orphans() {
    let Ok(docker) = docker_client_instance().await else {
        return; // whoever starts a container next says it better
    };
    let options = ListContainersOptionsBuilder::default().all(true).build();
    for container in docker.list_containers(Some(options)).await.unwrap_or_default() {
        let owner = container.labels.as_ref().and_then(|labels| labels.get(OWNER_LABEL));
        let (Some(id), Some(owner)) = (container.id, owner) else {
            continue;
        };
        if !is_alive(owner) {
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            // Another run may be removing the same one.
            let _ = docker.remove_container(&id, Some(options)).await;
        }
    }
}

fn is_alive(process_id: &str) -> bool {
    i32::from_str(process_id)
        .ok()
        .and_then(Pid::from_raw)
        .is_some_and(|id| test_kill_process(id) != Err(rustix::io::Errno::SRCH))
}
