//! The transport that has a real Dapr sidecar speak to the brokers, with the resources that the generator writes.

mod counted;
mod door;
mod publishing;

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use catalogue::{app_ids, paths, services::RECURRING_TASKS, topics};
use event_bus::{ConsumeOptions, Handler, Outgoing, PublishError, RetryPolicy, SidecarSettings, dapr};
use kafka_settings::Password;
use metrics::Metrics;
use test_kit::{
    Resources, Sidecar, Topics, free_port,
    sidecar::{API_TOKEN, APP_TOKEN},
    wait_until,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    contract::{RawRecord, Replica, Transport, contract_suite},
    support::{self, Record},
};

contract_suite!(Dapr);

/// Time that a sidecar has to stop before it is killed: a retry may wait longer.
const STOP_PATIENCE: Duration = Duration::from_secs(4);

pub(crate) struct Dapr {
    prefix: String,
    resources: Resources,
    /// Of the process that made them.
    topics: Option<Topics>,
    publishing: Option<(Sidecar, dapr::Publisher)>,
}

impl Dapr {
    pub(crate) fn topics(&self) -> &Topics {
        self.topics.as_ref().expect("asked by the process that made them")
    }

    /// A replica whose sidecar has these resources.
    pub(crate) fn join_with(
        &self,
        handler: Arc<impl Handler>,
        retry: RetryPolicy,
        resources: &Resources,
    ) -> DaprReplica {
        DaprReplica::join(handler, retry, resources, &self.prefix)
    }
}

/// How a sidecar is reached.
pub(crate) fn settings(endpoint: String, prefix: &str, partitions: i32) -> SidecarSettings {
    install_cryptography();
    SidecarSettings {
        endpoint,
        api_token: Password(API_TOKEN.to_owned()),
        app_token: Password(APP_TOKEN.to_owned()),
        partitions: vec![(topics::TASK_EVENTS, partitions.cast_unsigned())],
        prefix: prefix.to_owned(),
    }
}

/// Whoever is first in the process chooses; a second choice changes nothing.
fn install_cryptography() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

impl Transport for Dapr {
    type Replica = DaprReplica;

    const STOPS_AT_ONCE: bool = false;
    /// The sidecar's client makes the text `null` of it, and nothing of that again.
    const WITHOUT_VALUE: &'static str = "not_an_envelope";

    async fn start_with(topics: Topics) -> Self {
        let partitions = support::partitions(&topics, topics::TASK_EVENTS);
        let resources = Resources::of_test(&topics);
        let sidecar = Sidecar::start(app_ids::CHAT_API, None, &resources);
        let settings = settings(sidecar.endpoint(), topics.prefix(), partitions);
        let publisher = dapr::Publisher::new(&settings, &support::metrics(app_ids::CHAT_API)).unwrap();
        sidecar.becomes_ready().await;
        Self {
            resources,
            prefix: topics.prefix().to_owned(),
            topics: Some(topics),
            publishing: Some((sidecar, publisher)),
        }
    }

    fn address(&self) -> String {
        serde_json::to_string(&(&self.prefix, &self.resources)).unwrap()
    }

    fn at(address: &str) -> Self {
        let (prefix, resources) = serde_json::from_str(address).unwrap();
        Self {
            prefix,
            resources,
            topics: None,
            publishing: None,
        }
    }

    async fn try_publish(&self, events: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        let (_, publisher) = self.publishing.as_ref().expect("asked by the process that made it");
        publisher.publish(events).await
    }

    /// The alert's own metric.
    async fn tells_of_an_outage(&self) {
        let (sidecar, _) = self.publishing.as_ref().expect("asked by the process that made it");
        let open = ["policy=\"circuitbreaker\"", "status=\"open\""];
        wait_until("the breaker opens", support::PATIENCE, async || {
            let opened = sidecar.sum_of("dapr_resiliency_activations_total", &open).await;
            if opened > 0.0 { Ok(()) } else { Err(opened) }
        })
        .await;
    }

    async fn publish_raw(&self, raw: RawRecord<'_>) {
        support::publish_raw(self.topics(), raw).await;
    }

    fn join(&self, handler: Arc<impl Handler>, retry: RetryPolicy) -> DaprReplica {
        let resources = self.resources.clone().with_inbound_wait(retry.first_wait);
        self.join_with(handler, retry, &resources)
    }

    async fn dead_letters(&self, count: usize) -> Vec<Record> {
        support::read(self.topics(), topics::TASK_EVENTS_DLQ, count).await
    }

    async fn dead_letter_count(&self) -> i64 {
        support::count(self.topics(), topics::TASK_EVENTS_DLQ)
    }
}

pub(crate) struct DaprReplica {
    metrics: Metrics,
    pub(crate) port: u16,
    pub(crate) sidecar: Sidecar,
    _listening: AbortOnDropHandle<()>,
}

impl DaprReplica {
    fn join(handler: Arc<impl Handler>, retry: RetryPolicy, resources: &Resources, prefix: &str) -> Self {
        let metrics = support::metrics(RECURRING_TASKS.app_id);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let sidecar = Sidecar::start(RECURRING_TASKS.app_id, Some(port), resources);
        let options = ConsumeOptions {
            retry,
            ..ConsumeOptions::new("replica-1")
        };
        let settings = settings(sidecar.endpoint(), prefix, 1);
        let stop = CancellationToken::new();
        let consumer = dapr::Consumer::new(
            &RECURRING_TASKS,
            &settings,
            options,
            Arc::clone(&handler),
            &metrics,
            stop,
        )
        .unwrap();
        let ready = get(async move || {
            if handler.available().await {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            }
        });
        let routes: Router = consumer.routes().route(paths::READY_EVENTS, ready);
        let listening = tokio::spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, routes).await.unwrap();
        });
        Self {
            metrics,
            port,
            sidecar,
            _listening: AbortOnDropHandle::new(listening),
        }
    }
}

impl Replica for DaprReplica {
    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    async fn stop(self) {
        self.sidecar.stop(STOP_PATIENCE).await;
    }
}

/// A port on which no sidecar is.
fn nowhere() -> String {
    format!("http://127.0.0.1:{}", free_port())
}
