//! The spans that the catalogue promises.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use catalogue::{Span, spans};
use event_bus::{Delivery, Handler, Outcome, trace_context};
use opentelemetry::trace::{SpanKind, TracerProvider as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use test_kit::wait_until;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::{
    contract::{RETRY, Replica as _, Transport as _},
    kafka::Kafka,
    sample::{self, task_updated},
    support::PATIENCE,
};

/// Keeps what is exported.
#[derive(Clone, Debug, Default)]
struct Exported(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Exported {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl Exported {
    async fn only(&self, span: &Span) -> SpanData {
        wait_until(&format!("one span {} is exported", span.name), PATIENCE, async || {
            let exported = self.0.lock().unwrap();
            let found: Vec<&SpanData> = exported.iter().filter(|it| it.name == span.name).collect();
            if let [found] = found[..] {
                Ok(found.clone())
            } else {
                Err(found.len())
            }
        })
        .await
    }
}

/// Keeps the trace context in which it handles.
#[derive(Default)]
struct Traced(Mutex<Option<String>>);

impl Handler for Traced {
    async fn handle(&self, _delivery: &Delivery) -> Outcome {
        *self.0.lock().unwrap() = trace_context::current();
        Outcome::Done { duplicate: true }
    }

    async fn available(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn publishing_and_handling_are_traced_and_linked_to_their_cause() {
    let exported = Exported::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exported.clone())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("test"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false);
    let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let kafka = Kafka::start(1).await;
    kafka.publish(&[task_updated(7, 3)]).await;
    let handler = Arc::new(Traced::default());
    let replica = kafka.join(Arc::clone(&handler), RETRY);
    let publish = exported.only(&spans::EVENT_PUBLISH).await;
    let handle = exported.only(&spans::EVENT_HANDLE).await;
    replica.stop().await;

    assert_eq!(
        (publish.span_kind.clone(), handle.span_kind.clone()),
        (SpanKind::Producer, SpanKind::Consumer)
    );
    for (promised, span) in [(spans::EVENT_PUBLISH, &publish), (spans::EVENT_HANDLE, &handle)] {
        let promised: BTreeSet<&str> = promised.attributes.iter().map(|attribute| attribute.key).collect();
        let recorded: BTreeSet<&str> = span.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(recorded, promised, "{}", span.name);
        let links: Vec<String> = span
            .links
            .iter()
            .map(|link| link.span_context.trace_id().to_string())
            .collect();
        assert_eq!(links, [&sample::TRACEPARENT[3..35]], "{}", span.name);
        assert_ne!(
            span.span_context.trace_id().to_string(),
            links[0],
            "a link is no parent"
        );
    }
    let outcome = handle
        .attributes
        .iter()
        .find(|it| it.key.as_str() == spans::EVENT_OUTCOME.key);
    assert_eq!(outcome.unwrap().value.as_str(), "done");
    let context = &handle.span_context;
    let expected = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    assert_eq!(handler.0.lock().unwrap().as_deref(), Some(expected.as_str()));
}
