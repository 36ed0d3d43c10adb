//! Input on a real socket.

use std::time::Duration;

use axum::{
    Router,
    routing::{get, post},
};
use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::Client;
use serde::{Deserialize, Serialize};
use service_kit::{
    extract::{Json, Path, Query},
    limits, problem,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::app::{Answer, App, metrics};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<u16>,
}

async fn app() -> App {
    let router = Router::new()
        .route("/notes", post(async |Json(note): Json<Note>| Json(note)))
        .route(
            "/maybe",
            post(async |note: Option<Json<Note>>| note.map_or("nothing".to_owned(), |note| note.0.text)),
        )
        .route("/notes/{id}", get(async |Path(id): Path<u64>| id.to_string()))
        .route("/names/{name}", get(async |Path(name): Path<String>| name))
        .route(
            "/page",
            get(async |Query(page): Query<Page>| format!("{:?}", page.limit)),
        )
        .fallback(problem::route_not_found)
        .method_not_allowed_fallback(problem::method_not_allowed);
    let settings = service_kit::config::LimitSettings {
        max_concurrent_requests: 16,
        user_requests_per_second: None,
    };
    App::serve(limits::protect(router, &settings, &metrics())).await
}

async fn post_json(app: &App, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = Client::new()
        .post(app.url(path))
        .header("content-type", "application/json")
        .body(body);
    Answer::to(request).await
}

#[tokio::test]
async fn a_body_that_fits_is_answered() {
    let app = app().await;
    let answer = post_json(&app, "/notes", r#"{"text":"ä"}"#).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, r#"{"text":"ä"}"#));
    assert_eq!(answer.header("content-type"), "application/json");
}

#[tokio::test]
async fn bodies_are_refused_with_a_problem_and_never_a_500() {
    let app = app().await;
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], u16, &str); 9] = [
        (b"", 400, "malformed_body"),
        (b"{", 400, "malformed_body"),
        (b"{\"text\":\"\xc3\x28\"}", 400, "malformed_body"),
        (b"{\"text\":\"\0\"}", 400, "malformed_body"),
        (br#"{"text":"\u0000"}"#, 400, "malformed_body"),
        (deep.as_bytes(), 400, "malformed_body"),
        (br#"{"text":1}"#, 422, "invalid_body"),
        (br#"{"text":"a","more":1}"#, 422, "invalid_body"),
        (b"[]", 422, "invalid_body"),
    ];
    for (body, status, code) in cases {
        let answer = post_json(&app, "/notes", body.to_vec()).await;
        assert_eq!(answer.problem(), (status, code.to_owned()));
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_not_read() {
    let app = app().await;
    let typed = |name: &str, value: &str| {
        let request = Client::new().post(app.url("/notes")).header(name, value).body("{}");
        Answer::to(request)
    };
    let form = typed("content-type", "application/x-www-form-urlencoded").await;
    assert_eq!(form.problem(), (415, "unsupported_media_type".to_owned()));
    let latin = typed("content-type", "application/json; charset=iso-8859-1").await;
    assert_eq!(latin.problem(), (415, "unsupported_media_type".to_owned()));
    let untyped = Answer::to(Client::new().post(app.url("/notes")).body("{}")).await;
    assert_eq!(untyped.problem(), (415, "unsupported_media_type".to_owned()));
    let zipped = typed("content-encoding", "gzip").await;
    assert_eq!(zipped.problem(), (415, "unsupported_media_type".to_owned()));
    assert_eq!(zipped.header("accept-encoding"), "identity");
}

#[tokio::test]
async fn a_body_may_be_left_out_where_the_route_says_so() {
    let app = app().await;
    let without = Answer::to(Client::new().post(app.url("/maybe"))).await;
    assert_eq!(without.text, "nothing");
    assert_eq!(post_json(&app, "/maybe", r#"{"text":"a"}"#).await.text, "a");
    assert_eq!(post_json(&app, "/maybe", "").await.problem().0, 400);
    let untyped = Answer::to(Client::new().post(app.url("/maybe")).body("{}")).await;
    assert_eq!(untyped.problem().0, 415);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_and_without_a_length() {
    let app = app().await;
    let fits = format!(r#"{{"text":"{}"}}"#, "a".repeat(limits::MAX_BODY_BYTES - 11));
    assert_eq!(fits.len(), limits::MAX_BODY_BYTES);
    assert_eq!(post_json(&app, "/notes", fits.clone()).await.status, 200);

    let long = fits + " ";
    assert_eq!(
        post_json(&app, "/notes", long.clone()).await.problem(),
        (413, "body_too_large".to_owned())
    );
    // No content-length: the limit is met while reading.
    let frames = futures::stream::iter([Ok::<_, std::io::Error>(Frame::data(Bytes::from(long)))]);
    let chunked = post_json(&app, "/notes", reqwest::Body::wrap(StreamBody::new(frames))).await;
    assert_eq!(chunked.problem(), (413, "body_too_large".to_owned()));
}

#[tokio::test]
async fn a_client_that_stops_sending_is_told_and_its_connection_closed() {
    let app = app().await;
    let mut connection = TcpStream::connect(app.address).await.unwrap();
    let head = "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
    connection
        .write_all(format!("{head}{{\"text\"").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    let end = service_kit::extract::BODY_TIME + Duration::from_secs(5);
    timeout(end, connection.read_to_string(&mut answer))
        .await
        .expect("the connection is closed")
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains(r#""code":"request_timeout""#), "{answer}");
}

#[tokio::test]
async fn a_client_that_hangs_up_inside_a_body_harms_nobody() {
    let app = app().await;
    for _ in 0..32 {
        let mut connection = TcpStream::connect(app.address).await.unwrap();
        let head = "POST /notes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
        connection.write_all(head.as_bytes()).await.unwrap();
    }
    assert_eq!(post_json(&app, "/notes", r#"{"text":"a"}"#).await.status, 200);
}

#[tokio::test]
async fn paths_queries_and_methods_are_refused_with_a_problem() {
    let app = app().await;
    let get = |path: &str| Answer::to(Client::new().get(app.url(path)));
    assert_eq!(get("/notes/7").await.text, "7");
    for no_id in [
        "/notes/x",
        "/notes/-1",
        "/notes/1.5",
        "/notes/18446744073709551616",
        "/notes/%00",
        "/notes/7%2F",
    ] {
        assert_eq!(get(no_id).await.problem(), (404, "not_found".to_owned()), "{no_id}");
    }
    assert_eq!(get("/names/%C3%A4%2F").await.text, "ä/");
    assert_eq!(get("/names/a%00").await.problem(), (404, "not_found".to_owned()));
    assert_eq!(get("/notes/%ff").await.problem(), (400, "invalid_path".to_owned()));
    assert_eq!(get("/nowhere").await.problem(), (404, "route_not_found".to_owned()));

    assert_eq!(get("/page?limit=3").await.text, "Some(3)");
    let unknown = get("/page?limt=3").await;
    assert_eq!(unknown.problem(), (400, "invalid_parameter".to_owned()));
    assert_eq!(unknown.json()["errors"][0]["parameter"], "limt");

    let wrong_method = Answer::to(Client::new().delete(app.url("/notes/7"))).await;
    assert_eq!(wrong_method.problem(), (405, "method_not_allowed".to_owned()));
    assert_eq!(wrong_method.header("allow"), "GET,HEAD");
}
