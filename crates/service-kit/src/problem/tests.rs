use std::{
    collections::BTreeSet,
    env, fs, io,
    sync::{Arc, Mutex},
};

use axum::body::to_bytes;
use futures::FutureExt as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;

use super::*;
use crate::telemetry;

#[derive(Debug, thiserror::Error)]
#[error("could not load task `7`")]
struct Load(#[source] io::Error);

fn cause() -> Load {
    Load(io::Error::other("password of 10.0.0.3 refused"))
}

async fn sent(problem: Problem) -> (StatusCode, HeaderMap, Value) {
    let response = problem.into_response();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, headers, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_problem_is_sent_with_its_members_and_headers() {
    let problem = Problem::new(&codes::VERSION_MISMATCH)
        .detail("Version 3 was expected, it is 4.")
        .member("current", json!({"version": 4}))
        .header(header::ETAG, HeaderValue::from_static("\"4\""));
    let (status, headers, body) = sent(problem).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(headers[header::ETAG], "\"4\"");
    assert_eq!(
        body,
        json!({
            "type": "https://taskflow.dev/problems/version_mismatch",
            "title": "It was changed in the meantime",
            "status": 412,
            "code": "version_mismatch",
            "detail": "Version 3 was expected, it is 4.",
            "current": {"version": 4},
        }),
    );
}

#[tokio::test]
async fn what_failed_inside_is_not_sent() {
    for problem in [
        Problem::internal(cause()),
        Problem::internal(cause()).detail("could not load task `7`"),
        Problem::unavailable(cause(), Duration::from_millis(1)).detail(cause().to_string()),
    ] {
        let help = problem.code().help;
        let (_, _, body) = sent(problem).await;
        assert_eq!(body["detail"], help);
        let text = body.to_string();
        assert!(!text.contains("task `7`") && !text.contains("password"), "{text}");
    }
}

#[tokio::test]
async fn waits_are_told_in_whole_seconds_and_never_zero() {
    for (wait, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (5000, "5")] {
        let problem = Problem::new(&codes::RATE_LIMITED).retry_after(Duration::from_millis(wait));
        assert_eq!(sent(problem).await.1[header::RETRY_AFTER], seconds);
    }
}

#[test]
fn codes_are_unique_ordered_by_status_and_fit_into_addresses() {
    let names: BTreeSet<_> = codes::ALL.iter().map(|code| code.name).collect();
    assert_eq!(names.len(), codes::ALL.len());
    assert!(codes::ALL.is_sorted_by_key(|code| code.status));
    for Code { name, title, help, .. } in codes::ALL {
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        assert!(!title.ends_with('.') && help.ends_with('.'), "{name}");
    }
}

/// What is logged, and what the function gives, inside a span that is traced.
fn logged<T>(act: impl FnOnce() -> T) -> (Vec<Value>, T) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    let write = move |line: &[u8]| seen.lock().unwrap().push(serde_json::from_slice(line).unwrap());
    let subscriber = telemetry::subscriber("info", write, &SdkTracerProvider::default());
    let given = tracing::subscriber::with_default(subscriber, || tracing::info_span!("request").in_scope(act));
    let lines = lines.lock().unwrap().clone();
    (lines, given)
}

#[test]
fn a_cause_is_logged_once_with_its_chain_and_found_by_the_trace() {
    let (lines, response) = logged(|| Problem::internal(cause()).into_response());
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["error"], "could not load task `7`: password of 10.0.0.3 refused");
    assert_eq!(line["problem.code"], "internal");
    let body = to_bytes(response.into_body(), usize::MAX)
        .now_or_never()
        .unwrap()
        .unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["trace_id"], line["trace_id"]);
    assert_eq!(body["trace_id"].as_str().unwrap().len(), 32);
}

#[test]
fn what_is_the_clients_fault_is_not_logged() {
    let (lines, _) = logged(|| Problem::new(&codes::NOT_FOUND).into_response());
    assert_eq!(lines, [] as [Value; 0]);
}

#[test]
fn the_schema_names_what_is_sent() {
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let (_, problem) = logged(|| {
        Problem::new(&codes::INVALID_BODY)
            .at(FieldError::body("/a", Fault::Missing, "must be given"))
            .at(FieldError::parameter("b", Fault::Unknown, "is unknown"))
            .at(FieldError::header("c", Fault::InvalidFormat, "must be a number"))
            .to_json()
    });
    let schema = serde_json::to_value(<Problem as utoipa::PartialSchema>::schema()).unwrap();
    assert_eq!(names(&schema["properties"]), names(&problem));
    assert_eq!(
        names(&problem),
        wire::MEMBERS.iter().map(|name| (*name).to_owned()).collect()
    );

    let mut others = Vec::new();
    <Problem as utoipa::ToSchema>::schemas(&mut others);
    let [(name, schema)] = others.as_slice() else {
        panic!("{} schemas", others.len())
    };
    assert_eq!(name, "ProblemError");
    let sent = problem["errors"].as_array().unwrap().iter().flat_map(names).collect();
    assert_eq!(names(&serde_json::to_value(schema).unwrap()["properties"]), sent);
}

const HEAD: &str = "<!-- written from crates/service-kit/src/problem -->
# Problems

What a route answers with a status of 400 and above is `application/problem+json` (RFC 9457). Branch on `code`;
`type` is the same with an address around it. `detail` is for people. `trace_id` finds the request in our logs.

| code | status | meaning |
|---|---|---|
";
const ERRORS_HEAD: &str = "
## Errors of one problem

`errors` lists the places of the input that are at fault: each has one of `pointer` (JSON pointer into the body),
`parameter` and `header`, a `code` and a `message`.

| code | meaning |
|---|---|
";

/// `contracts/problems.md`: the tables for people who write clients.
fn page() -> String {
    let codes = codes::ALL
        .iter()
        .map(|code| format!("| `{}` | {} | {} |\n", code.name, code.status.as_u16(), code.help));
    let faults = Fault::ALL
        .iter()
        .map(|(fault, help)| format!("| `{}` | {help} |\n", fault.name()));
    let parts = [HEAD.to_owned()]
        .into_iter()
        .chain(codes)
        .chain([ERRORS_HEAD.to_owned()])
        .chain(faults);
    parts.collect()
}

#[test]
fn the_page_for_people_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/problems.md");
    if env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        fs::write(path, page()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    let update = "INSTA_UPDATE=always cargo test -p service-kit problem";
    assert!(written == page(), "contracts/problems.md is stale: {update}");
}
