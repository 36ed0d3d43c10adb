use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::{extract::MAX_DEPTH, problem::Fault};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    title: String,
    #[serde(default)]
    count: Option<u8>,
    #[serde(default)]
    version: Option<i64>,
    #[serde(default)]
    level: Level,
    #[serde(default)]
    due: Option<Due>,
    #[serde(default)]
    inner: Option<Inner>,
    #[serde(default)]
    list: Vec<Inner>,
    #[serde(default)]
    done: bool,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    #[default]
    None,
    High,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Due {
    Floating(String),
    Zoned { local: String, zone: String },
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Inner {
    name: String,
}

fn refused(body: &str) -> (&'static str, Vec<FieldError>) {
    let problem = parse_json::<Sample>(body.as_bytes()).unwrap_err();
    (problem.code().name, problem.errors().to_vec())
}

#[test]
fn a_body_that_fits_is_read() {
    let body =
        r#"{"title":"a","count":3,"level":"high","due":{"zoned":{"local":"x","zone":"y"}},"inner":{"name":"n"}}"#;
    let sample: Sample = parse_json(body.as_bytes()).unwrap();
    assert_eq!(sample.count, Some(3));
    assert_eq!(sample.level, Level::High);
    assert_eq!(sample.inner.unwrap().name, "n");
    assert!(matches!(sample.due, Some(Due::Zoned { .. })));
}

/// Body, pointer, fault, message.
#[rustfmt::skip]
const DOES_NOT_FIT: &[(&str, &str, Fault, &str)] = &[
    (r"{}", "/title", Fault::Missing, "must be given"),
    (r#"{"title":1}"#, "/title", Fault::WrongType, "must be a string"),
    (r#"{"title":null}"#, "/title", Fault::WrongType, "must be a string"),
    (r#"{"title":"a","count":-1}"#, "/count", Fault::OutOfRange, "must be an integer from 0 to 255"),
    (r#"{"title":"a","count":1.5}"#, "/count", Fault::WrongType, "must be an integer from 0 to 255"),
    (r#"{"title":"a","version":18446744073709551615}"#, "/version", Fault::OutOfRange, "must be an integer"),
    (r#"{"title":"a","version":1e30}"#, "/version", Fault::WrongType, "must be an integer"),
    (r#"{"title":"a","done":"yes"}"#, "/done", Fault::WrongType, "must be true or false"),
    (r#"{"title":"a","level":"low"}"#, "/level", Fault::NotAllowed, "must be `none` or `high`"),
    (r#"{"title":"a","list":{}}"#, "/list", Fault::WrongType, "must be an array"),
    (r#"{"title":"a","list":[{},{"name":2}]}"#, "/list/1/name", Fault::WrongType, "must be a string"),
    (r#"{"title":"a","list":[{},{"a/b~":2}]}"#, "/list/1/a~1b~0", Fault::Unknown, "is unknown; known: `name`"),
    (r#"{"title":"a","inner":{"nome":"x"}}"#, "/inner/nome", Fault::Unknown, "is unknown; known: `name`"),
    (r#"{"title":"a","due":{"zoned":{"local":"x"}}}"#, "/due/zoned/zone", Fault::Missing, "must be given"),
    (r#"{"title":"a","due":{"floating":7}}"#, "/due/floating", Fault::WrongType, "must be a string"),
    (r#"{"title":"a","due":{"never":7}}"#, "/due", Fault::NotAllowed, "must be `floating` or `zoned`"),
    (r#"{"title":"a","due":{}}"#, "/due", Fault::WrongType, "must be one of its forms"),
    (r#"{"title":"a","due":{"floating":"x","zoned":{}}}"#, "/due", Fault::WrongType, "must be one of its forms"),
];

#[test]
fn each_field_that_does_not_fit_is_named_by_its_place() {
    for &(body, pointer, fault, message) in DOES_NOT_FIT {
        let expected = vec![FieldError::body(pointer, fault, message)];
        assert_eq!(refused(body), ("invalid_body", expected), "{body}");
    }
}

#[test]
fn an_array_is_no_object() {
    for (body, pointer) in [
        (r"[]", ""),
        (r#"["a"]"#, ""),
        (r#"{"title":"a","inner":[]}"#, "/inner"),
        (r#"{"title":"a","list":[["n"]]}"#, "/list/0"),
        (r#"{"title":"a","due":{"zoned":["x","y"]}}"#, "/due/zoned"),
    ] {
        let expected = vec![FieldError::body(pointer, Fault::WrongType, "must be an object")];
        assert_eq!(refused(body), ("invalid_body", expected), "{body}");
    }
}

#[test]
fn what_is_no_document_is_malformed_at_its_position() {
    let deep = "[".repeat(MAX_DEPTH + 1);
    let cases: &[(&[u8], &str)] = &[
        (b"", "line 1, column 0: EOF while parsing a value"),
        (b"{\"title\":\n  oops}", "line 2, column 3: expected value"),
        (b"{\"title\":\"a\"} x", "line 1, column 15: trailing characters"),
        (b"{\"title\":\"a\",}", "line 1, column 14: trailing comma"),
        (
            b"{\"title\":\"a\",\"title\":\"b\"}",
            "line 1, column 20: the key `title` is given twice",
        ),
        (b"{\"title\":\n\"\xff\"}", "line 2, column 1: not UTF-8"),
        (
            b"{\"title\":\"\\u0000\"}",
            "line 1, column 17: it contains the character U+0000",
        ),
        (b"{\"\\u0000\":1}", "line 1, column 9: it contains the character U+0000"),
        (b"{\"title\":\"\0\"}", "line 1, column 11: control character"),
        (b"{\"title\":\"\\ud800\"}", "line 1, column 17: "),
        (b"{\"count\":1e999}", "line 1, column 14: number out of range"),
        (b"NaN", "line 1, column 1: expected value"),
        (deep.as_bytes(), "nested more than 32 deep"),
    ];
    for (body, told) in cases {
        let problem = parse_json::<Sample>(body).unwrap_err();
        let detail = problem.to_json()["detail"].as_str().unwrap().to_owned();
        assert_eq!(problem.code().name, "malformed_body", "{detail}");
        assert!(detail.contains(told), "{detail}\n{told}");
    }
}

#[test]
fn the_deepest_document_is_read_and_then_does_not_fit() {
    let body = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
    assert_eq!(refused(&body).0, "invalid_body");
}

#[test]
fn depth_costs_no_stack() {
    let body = "[".repeat(1_000_000);
    assert_eq!(refused(&body).0, "malformed_body");
}

#[test]
fn the_sentence_names_the_place() {
    let problem = parse_json::<Sample>(br#"{"title":"a","count":-1}"#).unwrap_err();
    assert_eq!(
        problem.to_json(),
        json!({
            "type": "https://taskflow.dev/problems/invalid_body",
            "title": "The body is not valid",
            "status": 422,
            "code": "invalid_body",
            "detail": "/count must be an integer from 0 to 255.",
            "errors": [{"pointer": "/count", "code": "out_of_range", "message": "must be an integer from 0 to 255"}],
        }),
    );
}

#[test]
fn only_json_in_utf8_is_declared_as_json() {
    for good in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/merge-patch+json",
    ] {
        assert!(is_json(good), "{good}");
    }
    for bad in [
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/json; charset=latin1",
        "application/json; charset=utf-16",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ] {
        assert!(!is_json(bad), "{bad}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_end_is_given_up() {
    let body = axum::body::Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .unwrap();
    let problem = read_within(request, &(), Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(problem.code(), &codes::REQUEST_TIMEOUT);
    assert_eq!(problem.into_response().headers()[header::CONNECTION], "close");
}
