use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing::{Span, debug, error, info, info_span, warn};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::*;

/// What is logged while the function runs.
fn logged(directives: &str, act: impl FnOnce()) -> Vec<Value> {
    let lines = Arc::<Mutex<Vec<Value>>>::default();
    let written = Arc::clone(&lines);
    let write = move |line: &[u8]| {
        let (text, end) = line.split_at(line.len() - 1);
        assert_eq!(end, b"\n");
        assert!(!text.contains(&b'\n'), "{}", String::from_utf8_lossy(text));
        written.lock().unwrap().push(serde_json::from_slice(text).unwrap());
    };
    let provider = SdkTracerProvider::builder().build();
    tracing::subscriber::with_default(subscriber(directives, write, &provider), act);
    std::mem::take(&mut *lines.lock().unwrap())
}

#[test]
fn an_event_is_one_object_in_one_line() {
    let lines = logged("info", || {
        let (name, count) = ("a \"b\"\n", 3);
        info!(name, count, ratio = 0.5, ok = true, error = %"it\nfailed", "two {}", "lines\nof text");
    });
    let line = &lines[0];
    let time: jiff::Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
    assert!((jiff::Timestamp::now() - time).as_hours() < 1);
    let expected = json!({
        "timestamp": line["timestamp"],
        "level": "INFO",
        "message": "two lines\nof text",
        "target": "service_kit::telemetry::tests",
        "name": "a \"b\"\n",
        "count": 3,
        "ratio": 0.5,
        "ok": true,
        "error": "it\nfailed",
    });
    assert_eq!(*line, expected);
}

#[test]
fn a_field_cannot_take_the_place_of_what_every_line_has() {
    let lines = logged("info", || {
        info!(level = "loud", trace_id = 7, otel.kind = "server", "said");
    });
    assert_eq!(lines[0]["level"], "INFO");
    assert_eq!(
        (&lines[0]["field.level"], &lines[0]["field.trace_id"]),
        (&json!("loud"), &json!(7))
    );
    assert_eq!(lines[0].get("otel.kind"), None, "for traces alone");
}

#[test]
fn a_line_tells_the_fields_and_ids_of_the_spans_around_it() {
    let lines = logged("info", || {
        info!("before");
        let request = info_span!("request", route = "/tasks", user.id = tracing::field::Empty);
        let ids = |span: &Span| {
            let context = span.context();
            let span = opentelemetry::trace::TraceContextExt::span(&context)
                .span_context()
                .clone();
            (span.trace_id().to_string(), span.span_id().to_string())
        };
        let (trace, outer) = ids(&request);
        request.in_scope(|| {
            request.record("user.id", "u1");
            let work = info_span!("work", route = "inner", step = 2);
            let inner = ids(&work).1;
            work.in_scope(|| info!(step = 3, trace, inner, "inside"));
            info!(trace, outer, "outside");
        });
    });
    assert_eq!(lines[0].get("trace_id"), None);
    let inside = &lines[1];
    assert_eq!(
        (&inside["route"], &inside["user.id"], &inside["step"]),
        (&json!("inner"), &json!("u1"), &json!(3))
    );
    assert_eq!(
        (&inside["trace_id"], &inside["span_id"]),
        (&inside["trace"], &inside["inner"])
    );
    let outside = &lines[2];
    assert_eq!((&outside["route"], outside.get("step")), (&json!("/tasks"), None));
    assert_eq!(
        (&outside["trace_id"], &outside["span_id"]),
        (&outside["trace"], &outside["outer"])
    );
}

#[test]
fn the_directives_decide_what_is_logged_and_not_what_is_traced() {
    let speak = || {
        let span = info_span!("request", route = "/tasks");
        span.in_scope(|| {
            debug!("debug");
            info!("info");
            warn!("warn");
            error!("error");
        });
    };
    let messages = |directives| -> Vec<String> {
        logged(directives, speak)
            .iter()
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(messages("info"), ["info", "warn", "error"]);
    assert_eq!(messages("warn"), ["warn", "error"]);
    assert_eq!(messages("service_kit=debug"), ["debug", "info", "warn", "error"]);
    assert_eq!(messages("off"), Vec::<String>::new());
    let quiet = logged("error", speak);
    assert_eq!(
        quiet[0]["trace_id"].as_str().unwrap().len(),
        32,
        "the span is there all the same"
    );
    assert_eq!(quiet[0]["route"], "/tasks");
}

#[test]
fn the_trace_of_a_request_goes_on_in_the_next() {
    logged("info", || {
        let mut headers = http::HeaderMap::new();
        inject(&mut headers);
        assert!(headers.is_empty(), "no span, no trace: {headers:?}");
        let told = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        headers.insert("traceparent", told.parse().unwrap());
        let span = info_span!("request");
        span.set_parent(parent(&headers)).unwrap();
        let mut next = http::HeaderMap::new();
        span.in_scope(|| inject(&mut next));
        let traceparent = next["traceparent"].to_str().unwrap();
        assert_eq!(&traceparent[..36], &told[..36], "the same trace");
        assert_ne!(&traceparent[36..52], &told[36..52], "another span");
    });
}

#[test]
fn a_malformed_trace_context_is_no_trace_context() {
    for wrong in [
        "",
        "00",
        "00-0-0-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "ä",
    ] {
        let mut headers = http::HeaderMap::new();
        headers.insert("traceparent", http::HeaderValue::from_bytes(wrong.as_bytes()).unwrap());
        let context = parent(&headers);
        let span = opentelemetry::trace::TraceContextExt::span(&context)
            .span_context()
            .clone();
        assert!(!span.is_valid(), "{wrong}");
    }
}

#[test]
fn an_error_is_told_with_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("could not load task `7`")]
    struct Outer(#[source] Inner);
    #[derive(Debug, thiserror::Error)]
    #[error("could not read the disk")]
    struct Inner(#[source] std::fmt::Error);
    let error = Outer(Inner(std::fmt::Error));
    let cause = std::fmt::Error;
    assert_eq!(
        chain(&error),
        format!("could not load task `7`: could not read the disk: {cause}")
    );
}

#[test]
fn a_panic_tells_its_message() {
    let message = |act: fn()| {
        let payload = panic::catch_unwind(act).unwrap_err();
        panic_message(&*payload).to_owned()
    };
    assert_eq!(message(|| panic!("plain")), "plain");
    assert_eq!(message(|| panic!("number {}", 7)), "number 7");
    assert_eq!(message(|| panic::panic_any(7)), "no message");
}
