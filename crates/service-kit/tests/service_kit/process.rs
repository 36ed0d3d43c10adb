//! The life of a process: start, signals, exit codes.

use std::net::SocketAddr;

use test_kit::{Database, wait_until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    app::{Answer, client},
    bare::{Bare, DEADLINE, get, messages, migrated},
};

/// A request whose body is not whole yet: it is being answered, and stays so.
async fn begun_request(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("the service lets us in");
    let head = "POST /tasks HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nab";
    stream.write_all(head.as_bytes()).await.expect("the service reads");
    stream
}

async fn rest_of_answer(mut stream: TcpStream) -> String {
    stream.write_all(b"cd").await.expect("the service reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("the service answers");
    answer
}

async fn in_flight(service: &Bare, expected: &str) {
    wait_until("requests in flight", DEADLINE, async || {
        match service.metric("http_requests_in_flight").await {
            number if number == expected => Ok(()),
            number => Err(number),
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_answers_logs_lines_of_json_and_stops_when_asked() {
    let database = Database::empty().await;
    let mut service = Bare::ready(&database).await;
    assert_eq!(service.get("/health").await.json()["status"], "alive");
    let ready = service.get("/ready").await.json();
    assert_eq!(
        ready["checks"],
        serde_json::json!({"database": "ok", "migrations": "ok"})
    );
    assert_eq!(get(service.internal, "/ready/events").await.status, 200);
    assert_eq!(service.metric(r#"dependency_up{dependency="database"}"#).await, "1");
    assert_eq!(service.metric("db_pool_max_connections").await, "10");
    assert_eq!(
        get(service.public, "/metrics").await.status,
        404,
        "metrics have a port of their own"
    );
    assert_eq!(
        get(service.public, "/ready/events").await.status,
        404,
        "the sidecar has a port of its own"
    );

    service.process.terminate();
    assert_eq!(service.exit_code().await, Some(0));
    for line in service.log() {
        let time: jiff::Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(time <= jiff::Timestamp::now(), "{line}");
        assert!(
            ["INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap()),
            "{line}"
        );
        assert!(line["message"].is_string(), "{line}");
    }
    let said = messages(&service.process);
    assert!(said.contains(&"stopping on SIGTERM".to_owned()), "{said:?}");
    assert_eq!(said.last().unwrap(), "stopped");
}

#[tokio::test]
async fn what_was_begun_is_finished_while_nobody_new_is_sent() {
    let database = Database::empty().await;
    let mut service = Bare::ready(&database).await;
    let begun = begun_request(service.public).await;
    in_flight(&service, "1").await;
    service.process.terminate();
    let refused = wait_until("the service says that it drains", DEADLINE, async || {
        match service.get("/ready").await {
            answer if answer.status == 503 => Ok(answer),
            answer => Err(answer.text),
        }
    })
    .await;
    assert_eq!(refused.json()["draining"], true);
    assert_eq!(refused.header("connection"), "close");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(
        get(service.internal, "/ready/events").await.status,
        200,
        "deliveries are still being answered"
    );

    wait_until("nobody new is let in", DEADLINE, async || {
        match TcpStream::connect(service.public).await {
            Ok(_) => Err("let in"),
            Err(_) => Ok(()),
        }
    })
    .await;
    let answer = rest_of_answer(begun).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains("connection: close") && answer.ends_with("abcd"),
        "{answer}"
    );
    assert_eq!(service.exit_code().await, Some(0));
}

#[tokio::test]
async fn what_does_not_end_in_time_is_named_and_left() {
    let database = Database::empty().await;
    migrated(&database).await;
    let mut service = Bare::start(&database.url(), &[("TASKFLOW_SHUTDOWN_DRAIN_SECONDS", "1")]).await;
    assert_eq!(service.get("/tasks/search").await.status, 200);
    let _begun = begun_request(service.public).await;
    in_flight(&service, "1").await;
    service.process.terminate();
    assert_eq!(service.exit_code().await, Some(1));
    let said = messages(&service.process);
    assert!(
        said.contains(&"tasks did not end in time: still running: stubborn".to_owned()),
        "{said:?}"
    );
    assert!(
        said.contains(&"1 connections did not end in time".to_owned()),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_second_signal_ends_the_process_at_once() {
    let database = Database::empty().await;
    let mut service = Bare::ready(&database).await;
    let _begun = begun_request(service.public).await;
    in_flight(&service, "1").await;
    service.process.terminate();
    wait_until("the first signal is heard", DEADLINE, async || {
        let said = messages(&service.process);
        if said.contains(&"stopping on SIGTERM".to_owned()) {
            Ok(())
        } else {
            Err(said.join("\n"))
        }
    })
    .await;
    service.process.terminate();
    assert_eq!(service.exit_code().await, Some(143));
}

#[tokio::test]
async fn a_task_that_ends_unasked_ends_the_process() {
    let database = Database::empty().await;
    let mut service = Bare::ready(&database).await;
    let answer = Answer::to(client().post(format!("http://{}/tasks/batch", service.public))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(service.exit_code().await, Some(1));
    let said = messages(&service.process);
    assert!(said.contains(&"task fickle ended unasked".to_owned()), "{said:?}");
}

#[tokio::test]
async fn a_panic_is_a_500_with_a_log_line_and_a_count() {
    let database = Database::empty().await;
    let service = Bare::ready(&database).await;
    let answer = service.get("/me").await;
    assert_eq!(answer.problem(), (500, "internal".to_owned()));
    assert!(!answer.text.contains("asked for me"), "{}", answer.text);
    assert_eq!(service.metric("panics_total").await, "1");
    assert_eq!(
        service
            .metric(r#"http_requests_total{method="GET",route="/me",status="500"}"#)
            .await,
        "1"
    );
    assert_eq!(service.get("/tags").await.status, 200, "the others go on");
    let log = service.log();
    let line = log
        .iter()
        .find(|line| line["message"] == "panic: asked for me")
        .unwrap();
    assert_eq!(line["level"], "ERROR");
    assert!(line["location"].as_str().unwrap().contains("bare_service.rs"), "{line}");
    assert_eq!(line["http.route"], "/me");
    assert_eq!(line["trace_id"].as_str().unwrap().len(), 32, "{line}");
    assert_eq!(line["span_id"].as_str().unwrap().len(), 16, "{line}");
}
