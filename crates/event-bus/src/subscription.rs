//! Consuming, whatever the transport.

use std::{pin::Pin, sync::Arc, time::Duration};

use axum::Router;
use catalogue::Service;
use kafka_settings::BusSettings;
use metrics::Metrics;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    dapr,
    handler::Handler,
    kafka::{self, ClientError, ConsumeError, ConsumerSettings},
    record::RecordHandler,
    retry::RetryPolicy,
    work::{Records, Work},
};

/// How a service consumes. [`ConsumeOptions::new`] has the values for production.
#[derive(Clone, Debug)]
pub struct ConsumeOptions {
    /// Name of this replica; part of the group id when each replica has its own group.
    pub replica: String,
    /// How often a delivery is tried. Through the sidecar the waits in between are the sidecar's.
    pub retry: RetryPolicy,
    /// Deliveries handled at once, over all partitions, at least 1.
    pub concurrency: usize,
    /// Time to finish what is begun, when consumption stops.
    pub drain: Duration,
    /// As [`ConsumerSettings::in_position`].
    pub in_position: watch::Sender<bool>,
}

impl ConsumeOptions {
    /// 4 deliveries at once, 10 s to drain, the default retries.
    #[must_use]
    pub fn new(replica: impl Into<String>) -> Self {
        Self {
            replica: replica.into(),
            retry: RetryPolicy::default(),
            concurrency: 4,
            drain: Duration::from_secs(10),
            in_position: watch::Sender::new(false),
        }
    }
}

/// Consumption while it goes on; ends when it was told to stop.
pub type Running = Pin<Box<dyn Future<Output = Result<(), ConsumeError>> + Send>>;

/// A service that consumes.
pub struct Subscribed {
    /// To be run as a task of the service.
    pub running: Running,
    /// For the internal listener: what the sidecar delivers to. None over the direct transport.
    pub routes: Router,
}

/// Consumes all that the catalogue says of this service over the transport that was chosen, until `stop`.
///
/// # Errors
/// When a client cannot be made.
///
/// # Panics
/// When the catalogue does not say what the service consumes: a bug.
pub fn subscribe<H: Handler>(
    service: &'static Service,
    bus: BusSettings,
    options: ConsumeOptions,
    handler: Arc<H>,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Result<Subscribed, ClientError> {
    subscribe_to(service, bus, options, handler, metrics, stop)
}

/// As [`subscribe`], for a service that takes records as they are, events or not.
///
/// # Errors
/// When a client cannot be made.
///
/// # Panics
/// When the catalogue does not say what the service consumes: a bug.
pub fn subscribe_to_records<H: RecordHandler>(
    service: &'static Service,
    bus: BusSettings,
    options: ConsumeOptions,
    handler: H,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Result<Subscribed, ClientError> {
    subscribe_to(service, bus, options, Arc::new(Records(handler)), metrics, stop)
}

fn subscribe_to<W: Work>(
    service: &'static Service,
    bus: BusSettings,
    options: ConsumeOptions,
    work: Arc<W>,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Result<Subscribed, ClientError> {
    match bus {
        BusSettings::Direct(kafka) => {
            let settings = ConsumerSettings {
                retry: options.retry,
                concurrency: options.concurrency,
                drain: options.drain,
                in_position: options.in_position,
                ..ConsumerSettings::new(kafka, options.replica)
            };
            let metrics = metrics.clone();
            let running = async move { kafka::consume(service, settings, work, &metrics, stop).await };
            Ok(Subscribed {
                running: Box::pin(running),
                routes: Router::new(),
            })
        }
        BusSettings::Sidecar(sidecar) => {
            let consumer = dapr::Consumer::new(service, &sidecar, options, work, metrics, stop.clone())?;
            let routes = consumer.routes();
            let running = async move {
                consumer.run(stop).await;
                Ok(())
            };
            Ok(Subscribed {
                running: Box::pin(running),
                routes,
            })
        }
    }
}
