//! Consuming: in order per partition, partitions side by side, offsets only behind effects.

mod assignment;
mod dead_letters;
mod group;
mod record;
mod settle;
mod whole;
mod worker;

use std::{sync::Arc, time::Duration};

use catalogue::{ConsumerGroup, Service, StartFrom, metrics::CONSUMER_REBALANCES_TOTAL};
use kafka_settings::KafkaSettings;
use metrics::{IntCounter, Metrics};
use rdkafka::{
    ClientConfig,
    consumer::{Consumer as _, StreamConsumer},
    error::KafkaError,
};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use self::{
    assignment::Assignment,
    group::{GroupMember, Listener},
    settle::Settler,
    whole::Whole,
};
use super::client::{self, ClientError};
use crate::{retry::RetryPolicy, work::Work};

/// Time that leaving the group may take, even when the drain is already over.
const LEAVE_DEADLINE: Duration = Duration::from_secs(2);

/// How a service consumes. [`ConsumerSettings::new`] has the values for production.
#[derive(Clone, Debug)]
pub struct ConsumerSettings {
    /// Where the brokers are.
    pub kafka: KafkaSettings,
    /// Name of this replica; part of the group id when each replica has its own group.
    pub replica: String,
    /// How often a delivery is tried.
    pub retry: RetryPolicy,
    /// Deliveries handled at once, over all partitions, at least 1. More than the handler has database connections only
    /// makes them wait.
    pub concurrency: usize,
    /// Time to finish what is begun, when consumption stops or a partition moves to another replica.
    pub drain: Duration,
    /// Silence after which the brokers give this replica's partitions to others (6 s to 5 min).
    pub session_timeout: Duration,
    /// Becomes true when every record from now on will be seen, where each replica has a group of its own: all
    /// partitions are taken, and their ends are known. Stays true while the brokers are away.
    pub in_position: watch::Sender<bool>,
}

impl ConsumerSettings {
    /// 4 deliveries at once, 10 s to drain, sessions of 10 s, the default retries.
    #[must_use]
    pub fn new(kafka: KafkaSettings, replica: impl Into<String>) -> Self {
        Self {
            kafka,
            replica: replica.into(),
            retry: RetryPolicy::default(),
            concurrency: 4,
            drain: Duration::from_secs(10),
            session_timeout: Duration::from_secs(10),
            in_position: watch::Sender::new(false),
        }
    }
}

/// Why consumption ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum ConsumeError {
    /// The client could not be made.
    #[error("could not begin to consume")]
    Client(#[from] ClientError),
    /// The client refuses to go on.
    #[error("could not go on consuming")]
    Refused(#[source] KafkaError),
    /// The task of a partition ended unasked: a bug.
    #[error("the task of a partition ended unasked")]
    WorkerEnded,
    /// A record came by another queue than that of its partition: going on would lose it.
    #[error("a record came by the wrong queue")]
    StrayRecord,
}

/// Consumes all that the catalogue says of this service, until `stop` is cancelled. Then what is begun is finished
/// within [`ConsumerSettings::drain`], the offsets are committed and the group is left.
///
/// A broker that is away is waited for. Records of one partition are handled one after another. A record's offset is
/// stored when its effect is done or its dead letter is acknowledged, and committed within a second; after a crash in
/// between it comes again. A replica that has its group for itself begins at the end, and commits nothing. The handler is a
/// [`Handler`](crate::Handler).
///
/// # Panics
/// When the catalogue says that the service consumes nothing, or that its topics begin at different ends: a bug.
pub async fn consume<H: Work>(
    service: &'static Service,
    settings: ConsumerSettings,
    handler: Arc<H>,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Result<(), ConsumeError> {
    let consumer = config(service, &settings)
        .create_with_context(GroupMember::new(metrics))
        .map_err(ClientError::from)?;
    let consumer: Arc<StreamConsumer<GroupMember>> = Arc::new(consumer);
    // Dropped before the consumer, also when this future is dropped in the middle.
    let listener = Listener(Arc::clone(&consumer));
    let settler = Settler::new(service, &settings, handler, metrics)?;
    let mut assignment = Assignment::new(service, &settings, Arc::clone(&consumer), settler, metrics);
    let ended = if has_own_group(service) {
        let in_position = settings.in_position.clone();
        let whole = Whole::new(service, &settings.kafka.prefix, Arc::clone(&consumer), in_position);
        whole.run(&mut assignment, &stop).await
    } else {
        join(service, &settings, &consumer)?;
        let rebalances = metrics.counter(&CONSUMER_REBALANCES_TOTAL, &[]);
        run(&consumer, &mut assignment, &rebalances, &stop).await
    };

    let deadline = Instant::now() + settings.drain;
    assignment.stop_all(deadline).await;
    let close = move || {
        drop(assignment);
        drop(listener);
        drop(consumer);
    };
    leave(close, deadline.max(Instant::now() + LEAVE_DEADLINE)).await;
    ended
}

/// Whether a replica shares its partitions with nobody.
fn has_own_group(service: &Service) -> bool {
    matches!(service.consumer_group, Some(ConsumerGroup::PerReplica { .. }))
}

/// Asks to be a member of the group.
fn join(
    service: &Service,
    settings: &ConsumerSettings,
    consumer: &StreamConsumer<GroupMember>,
) -> Result<(), ConsumeError> {
    let topics: Vec<String> = service
        .reads_topics()
        .map(|topic| format!("{}{topic}", settings.kafka.prefix))
        .collect();
    let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(ConsumeError::Refused)
}

/// Serves the group until `stop`. Records come by the queues of their partitions.
async fn run<H: Work>(
    consumer: &StreamConsumer<GroupMember>,
    assignment: &mut Assignment<H>,
    rebalances: &IntCounter,
    stop: &CancellationToken,
) -> Result<(), ConsumeError> {
    let worker_ended = assignment.worker_ended();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            () = worker_ended.cancelled() => return Err(ConsumeError::WorkerEnded),
            change = consumer.context().asked_change() => {
                rebalances.inc();
                assignment.apply(change).await.map_err(ConsumeError::Refused)?;
            }
            event = consumer.recv() => match event {
                // Never: the queue of a partition is taken before the partition is.
                Ok(_record) => return Err(ConsumeError::StrayRecord),
                Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(ConsumeError::Refused(error)),
                // Logged by the client, which tries again by itself.
                Err(_transient) => {}
            }
        }
    }
}

/// Closes the clients, which commits what is stored and leaves the group. That blocks, and without brokers for long: then
/// the process ends without it, and its partitions are given away when the session is over.
async fn leave(close: impl FnOnce() + Send + 'static, deadline: Instant) {
    let (left, has_left) = oneshot::channel();
    // Not a blocking task of the runtime, whose own end would wait for it without a deadline.
    std::thread::spawn(move || {
        close();
        // Nobody may be waiting any more.
        let _ = left.send(());
    });
    if timeout_at(deadline, has_left).await.is_err() {
        tracing::warn!(
            "the consumer group was not left in time; its members will miss this replica until its session is over"
        );
    }
}

fn config(service: &Service, settings: &ConsumerSettings) -> ClientConfig {
    let mut config = client::config(&settings.kafka, service.app_id);
    config
        .set("group.id", group_id(service, settings))
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("auto.offset.reset", start(service))
        .set("enable.auto.offset.store", "false")
        .set("enable.auto.commit", (!has_own_group(service)).to_string())
        .set("auto.commit.interval.ms", "1000")
        .set("session.timeout.ms", settings.session_timeout.as_millis().to_string())
        .set(
            "heartbeat.interval.ms",
            (settings.session_timeout.as_millis() / 3).to_string(),
        )
        .set("max.poll.interval.ms", "300000")
        // Per partition. Small, because a partition that moves throws its queue away; looked at often, because the
        // default pause of a second after a full queue would starve a fast handler.
        .set("queued.min.messages", "1000")
        .set("queued.max.messages.kbytes", "4096")
        .set("fetch.queue.backoff.ms", "10")
        // New partitions and topics are noticed.
        .set("topic.metadata.refresh.interval.ms", "30000")
        .set("statistics.interval.ms", "5000");
    config
}

/// The id of the group, as the broker knows it.
fn group_id(service: &Service, settings: &ConsumerSettings) -> String {
    let group = service.consumer_group.expect("a service that consumes has a group");
    let name = match group {
        ConsumerGroup::Shared { name } => name.to_owned(),
        ConsumerGroup::PerReplica { template, .. } => template.replace("{podName}", &settings.replica),
    };
    format!("{}{name}", settings.kafka.prefix)
}

/// Where a group without offsets begins.
fn start(service: &Service) -> &'static str {
    let mut starts = service.consumes.iter().map(|subscription| subscription.start);
    let start = starts.next().expect("a service that consumes has a subscription");
    assert!(
        starts.all(|other| other == start),
        "one group begins all its topics at the same end"
    );
    match start {
        StartFrom::Oldest => "earliest",
        StartFrom::Newest => "latest",
    }
}
