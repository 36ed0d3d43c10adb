//! Spans on their way to a collector.

use std::{net::SocketAddr, time::Duration};

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use test_kit::{Collector, Database, collector::pairs, wait_until};
use tokio::net::TcpListener;

use crate::{
    app::{Answer, client},
    bare::{Bare, DEADLINE, messages, migrated},
};

/// Who sent the first spans.
fn resource(collector: &Collector) -> Vec<(String, String)> {
    let sent = collector.resource_spans();
    let resource = sent[0].resource.as_ref().expect("spans name their resource");
    pairs(&resource.attributes)
}

async fn span_of(collector: &Collector, route: &str) -> Span {
    wait_until(&format!("the span of {route} arrives"), DEADLINE, async || {
        let spans = collector.spans();
        let found = spans
            .iter()
            .find(|it| pairs(&it.attributes).contains(&("http.route".into(), route.into())));
        found.cloned().ok_or(format!("{} spans", spans.len()))
    })
    .await
}

async fn traced(endpoint: SocketAddr, database: &Database) -> Bare {
    migrated(database).await;
    let endpoint = format!("http://{endpoint}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=taskflow"),
        ("TASKFLOW_POD_NAME", "chat-api-0"),
    ];
    let service = Bare::start(&database.url(), &variables).await;
    service.becomes_ready().await;
    service
}

#[tokio::test]
async fn a_request_is_a_span_in_the_trace_of_its_caller() {
    let collector = Collector::default();
    let (endpoint, _serving) = collector.listen(0).await;
    let database = Database::empty().await;
    let service = traced(endpoint, &database).await;
    let request = client()
        .get(format!("http://{}/tags", service.public))
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
        .header("x-correlation-id", "c-1");
    assert_eq!(Answer::to(request).await.text, "c-1");

    let span = span_of(&collector, "/tags").await;
    assert_eq!(span.name, "http_request");
    assert_eq!(span.kind(), SpanKind::Server);
    assert_eq!(
        span.trace_id,
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()
    );
    assert_eq!(
        span.parent_span_id,
        0x00f0_67aa_0ba9_02b7_u64.to_be_bytes(),
        "whatever the caller samples"
    );
    let expected = [
        ("correlation.id", "c-1"),
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("http.route", "/tags"),
    ];
    assert_eq!(
        pairs(&span.attributes),
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    let catalogued: Vec<&str> = catalogue::spans::HTTP_REQUEST
        .attributes
        .iter()
        .map(|it| it.key)
        .collect();
    assert!(expected.iter().all(|(key, _)| catalogued.contains(key)) && expected.len() == catalogued.len());

    let resource = resource(&collector);
    for (key, value) in [
        ("service.name", "chat-api"),
        ("service.instance.id", "chat-api-0"),
        ("service.namespace", "taskflow"),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(
            resource.contains(&(key.to_owned(), value.to_owned())),
            "{key} in {resource:?}"
        );
    }
}

#[tokio::test]
async fn a_failure_is_marked_and_probes_are_no_spans() {
    let collector = Collector::default();
    let (endpoint, _serving) = collector.listen(0).await;
    let database = Database::empty().await;
    let service = traced(endpoint, &database).await;
    for path in ["/health", "/ready", "/me", "/nothing"] {
        service.get(path).await;
    }
    let failed = span_of(&collector, "/me").await;
    assert_eq!(failed.status.as_ref().unwrap().code(), StatusCode::Error);
    let lost = span_of(&collector, "unmatched").await;
    assert_eq!(
        lost.status.map_or(StatusCode::Unset, |it| it.code()),
        StatusCode::Unset,
        "a 404 is no error"
    );
    let spans = collector.spans();
    assert_eq!(
        spans.len(),
        2,
        "{:?}",
        spans.iter().map(|it| &it.attributes).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn the_last_spans_are_sent_before_the_process_ends() {
    let collector = Collector::default();
    let (endpoint, _serving) = collector.listen(0).await;
    let database = Database::empty().await;
    let mut service = traced(endpoint, &database).await;
    service.get("/tags").await;
    service.process.terminate();
    assert_eq!(service.exit_code().await, Some(0));
    let routes: Vec<_> = collector.spans().iter().flat_map(|it| pairs(&it.attributes)).collect();
    assert!(
        routes.contains(&("http.route".to_owned(), "/tags".to_owned())),
        "{routes:?}"
    );
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_once_and_disturbs_nobody() {
    let port = test_kit::free_port();
    let database = Database::empty().await;
    let mut service = traced(SocketAddr::from(([127, 0, 0, 1], port)), &database).await;
    let said = |text: &str| {
        messages(&service.process)
            .iter()
            .filter(|it| it.starts_with(text))
            .count()
    };
    let (away, back) = ("spans cannot be sent and are dropped", "spans are sent again");
    let mut failures = 0;
    wait_until("the collector is missed", DEADLINE, async || {
        assert_eq!(service.get("/tags").await.status, 200);
        failures += 1;
        if said(away) > 0 {
            Ok(())
        } else {
            Err(format!("{failures} requests"))
        }
    })
    .await;
    let collector = Collector::default();
    let (_, _serving) = collector.listen(port).await;
    wait_until("the collector is found", DEADLINE, async || {
        service.get("/tags").await;
        if said(back) > 0 { Ok(()) } else { Err("not yet") }
    })
    .await;
    assert_eq!((said(away), said(back)), (1, 1));
    assert!(!collector.spans().is_empty());
    service.process.terminate();
    assert_eq!(service.exit_code().await, Some(0));
}

#[tokio::test]
async fn a_collector_that_hangs_does_not_hold_up_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let database = Database::empty().await;
    let mut service = traced(silent.local_addr().unwrap(), &database).await;
    service.get("/tags").await;
    let begun = std::time::Instant::now();
    service.process.terminate();
    assert_eq!(service.exit_code().await, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
