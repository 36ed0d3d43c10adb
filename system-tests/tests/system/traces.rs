//! One act of a person, followed through all services: by its trace, and by links where a consumer begins its own.

use catalogue::{
    app_ids::{AUDIT, CHAT_API, RECURRING_TASKS},
    spans,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use reqwest::Method;
use serde_json::json;
use system_tests::{World, person::Ask, world::PATIENCE};
use test_kit::{
    Collector,
    collector::{pairs, spans_of},
    wait_until,
};

/// The trace that the person's own client has begun.
const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A span, and the service that recorded it.
#[derive(Clone, Debug)]
struct Seen {
    service: String,
    span: Span,
}

impl Seen {
    fn is(&self, service: &str, span: &spans::Span) -> bool {
        self.service == service && self.span.name == span.name
    }

    fn is_in(&self, trace: &[u8]) -> bool {
        self.span.trace_id == trace
    }

    fn links_to(&self, trace: &[u8]) -> bool {
        self.span.links.iter().any(|link| link.trace_id == trace)
    }

    fn has(&self, key: &str, value: &str) -> bool {
        pairs(&self.span.attributes).contains(&(key.to_owned(), value.to_owned()))
    }
}

/// Waits until the collector has a span like this.
async fn seen(collector: &Collector, what: &str, is_it: impl Fn(&Seen) -> bool) -> Seen {
    wait_until(what, PATIENCE, async || {
        let all = all(collector);
        let found = all.iter().find(|seen| is_it(seen)).cloned();
        found.ok_or_else(|| {
            let names = all.iter().map(|it| format!("{} {}", it.service, it.span.name));
            names.collect::<Vec<_>>().join(", ")
        })
    })
    .await
}

fn all(collector: &Collector) -> Vec<Seen> {
    let name = |attributes: &[(String, String)]| attributes.iter().find(|(key, _)| key == "service.name").cloned();
    let sent = collector.resource_spans().into_iter();
    sent.flat_map(|sent| {
        let resource = sent.resource.clone().expect("spans name their resource");
        let (_, service) = name(&pairs(&resource.attributes)).expect("a resource names its service");
        spans_of(sent).map(move |span| Seen {
            service: service.clone(),
            span,
        })
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_is_followed_to_its_successor_and_to_the_record() {
    let collector = Collector::default();
    let (endpoint, _serving) = collector.listen(0).await;
    let endpoint = format!("http://{endpoint}");
    let world = World::start_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
    let ada = world.person("ada");
    let body = json!({
        "title": "Water the plants",
        "due": {"kind": "zoned", "local": "2031-03-01T09:00:00", "zone": "Europe/Berlin"},
        "recurrence": {"rule": "FREQ=DAILY"},
    });
    let task = ada.post("/tasks", body).await.expect(201)["id"].clone();
    let complete = Ask::new(Method::POST, format!("/tasks/{task}/complete")).header("traceparent", TRACEPARENT);
    ada.ask(&complete).await.expect(200);
    world.drained().await;

    let act = TRACE.to_be_bytes();
    let request = seen(&collector, "the request in the person's trace", |it| {
        it.is(CHAT_API, &spans::HTTP_REQUEST) && it.is_in(&act)
    })
    .await;
    let completed = seen(&collector, "the completion in the same trace", |it| {
        it.is(CHAT_API, &spans::TASK_COMPLETE) && it.is_in(&act)
    })
    .await;
    assert_eq!(completed.span.parent_span_id, request.span.span_id);
    assert!(completed.has("task.id", &task.to_string()) && completed.has("user.id", "ada"));
    seen(&collector, "the event is published, linked to the act", |it| {
        it.is(CHAT_API, &spans::EVENT_PUBLISH) && it.links_to(&act)
    })
    .await;
    seen(&collector, "it is handled by audit, linked to the act", |it| {
        it.is(AUDIT, &spans::EVENT_HANDLE) && it.links_to(&act)
    })
    .await;

    // recurring-tasks begins a trace of its own, which the call to chat-api belongs to.
    let handled = seen(
        &collector,
        "it is handled by recurring-tasks, linked to the act",
        |it| it.is(RECURRING_TASKS, &spans::EVENT_HANDLE) && it.links_to(&act),
    )
    .await;
    let own = handled.span.trace_id.clone();
    assert_ne!(own, act);
    let next = seen(&collector, "the next instance is computed there", |it| {
        it.is(RECURRING_TASKS, &spans::RECURRENCE_NEXT) && it.is_in(&own)
    })
    .await;
    let called = seen(&collector, "chat-api is called in the same trace", |it| {
        it.is(CHAT_API, &spans::HTTP_REQUEST) && it.is_in(&own)
    })
    .await;
    assert_eq!(called.span.parent_span_id, next.span.span_id);
    let created = seen(&collector, "and creates it there", |it| {
        it.is(CHAT_API, &spans::TASK_CREATE_OCCURRENCE) && it.is_in(&own)
    })
    .await;
    assert_eq!(created.span.parent_span_id, called.span.span_id);
    for (service, span) in [(CHAT_API, &spans::EVENT_PUBLISH), (AUDIT, &spans::EVENT_HANDLE)] {
        let what = format!("{} of {service} is linked to the creation", span.name);
        seen(&collector, &what, |it| it.is(service, span) && it.links_to(&own)).await;
    }
    let appended = seen(&collector, "audit appends what it handles", |it| {
        it.is(AUDIT, &spans::AUDIT_APPEND)
    })
    .await;
    assert!(!appended.span.parent_span_id.is_empty());
    // One act has one name for people, whatever the traces are.
    let id = pairs(&request.span.attributes)
        .into_iter()
        .find(|(key, _)| key == "correlation.id");
    let (_, id) = id.expect("a request has one");
    assert!(called.has("correlation.id", &id), "{called:?}");
}
