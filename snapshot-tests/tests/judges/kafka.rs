//! A real single Kafka broker on loopback, from its published jars.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::ports;
use crate::process::Process;
use crate::setup::{run, tool};
use crate::wait::wait_until;

/// Any fixed identity will do for a cluster that lives for one test.
const CLUSTER_ID: &str = "AAAAAAAAAAAAAAAAAAAAAQ";

/// Ends with the test.
pub(crate) struct Kafka {
    broker: Process,
    port: u16,
    _folder: TempDir,
}

impl Kafka {
    /// Another process may take a port between our choice and its use: then everything is started again.
    pub(crate) fn start() -> Result<Self, String> {
        let mut failures = Vec::new();
        for _ in 0..3 {
            match Self::try_start() {
                Ok(kafka) => return Ok(kafka),
                Err(error) => failures.push(error),
            }
        }
        Err(failures.join("\n"))
    }

    fn try_start() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let [port, controller] = ports::free();
        let properties = folder.path().join("server.properties");
        fs::write(&properties, configuration(port, controller, folder.path())).map_err(|error| error.to_string())?;
        let file = properties.display().to_string();
        run(&mut java(
            "kafka.tools.StorageTool",
            &["format", "-t", CLUSTER_ID, "-c", &file],
        ))
        .succeeded("formatting the broker's storage")?;
        let command = java("kafka.Kafka", &[&file]);
        let arguments: Vec<String> = command
            .get_args()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let mut kafka = Self {
            broker: Process::start("kafka", Path::new("java"), &arguments, folder.path()),
            port,
            _folder: folder,
        };
        wait_until("the broker listens", Duration::from_mins(1), || {
            if let Err(ended) = kafka.broker.is_running() {
                return Ok(Err(ended)); // no use in waiting on
            }
            TcpStream::connect(kafka.address())
                .map(|_| Ok(()))
                .map_err(|error| error.to_string())
        })??;
        Ok(kafka)
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Creates a topic; an existing one is left as it is.
    pub(crate) fn create_topic(&self, topic: &str, partitions: u32) -> Result<(), String> {
        run(&mut java(
            "org.apache.kafka.tools.TopicCommand",
            &[
                "--bootstrap-server",
                &self.address(),
                "--create",
                "--if-not-exists",
                "--topic",
                topic,
                "--partitions",
                &partitions.to_string(),
            ],
        ))
        .succeeded(&format!("creating topic {topic}"))
        .map(drop)
    }
}

/// A program of the jars. The first compiler tier is enough for programs that live for seconds.
fn java(class: &str, arguments: &[&str]) -> Command {
    let mut java = Command::new("java");
    java.args(["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg("-cp")
        .arg(tool("TASKFLOW_KAFKA").join("*"))
        .arg(class)
        .args(arguments);
    java
}

fn configuration(port: u16, controller: u16, folder: &Path) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={}\n\
         auto.create.topics.enable=false\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        folder.join("log").display()
    )
}
