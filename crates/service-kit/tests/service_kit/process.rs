//! The life of a process: start, outages, signals, exit codes.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use test_kit::{Database, Service, wait_until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    app::{Answer, client},
    detour::Detour,
};

const DEADLINE: Duration = Duration::from_secs(20);

/// A running service with a database of its own.
pub(crate) struct Bare {
    pub(crate) process: Service,
    pub(crate) public: SocketAddr,
    pub(crate) internal: SocketAddr,
    metrics: SocketAddr,
}

impl Bare {
    /// Starts it with these variables besides those that it needs.
    pub(crate) async fn start(database_url: &str, more: &[(&'static str, &str)]) -> Self {
        let mut process = start("serve", database_url, more);
        Self {
            public: process.address("public").await,
            internal: process.address("internal").await,
            metrics: process.address("metrics").await,
            process,
        }
    }

    /// Starts it, and waits until it takes traffic.
    pub(crate) async fn ready(database: &Database) -> Self {
        migrated(database).await;
        let service = Self::start(&database.url(), &[]).await;
        service.becomes_ready().await;
        service
    }

    pub(crate) async fn becomes_ready(&self) {
        wait_until("the service is ready", DEADLINE, async || {
            match self.get("/ready").await {
                answer if answer.status == 200 => Ok(()),
                answer => Err(answer.text),
            }
        })
        .await;
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        get(self.public, path).await
    }

    pub(crate) async fn metric(&self, series: &str) -> String {
        let shown = get(self.metrics, "/metrics").await.text;
        let line = shown
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no series `{series}`")).to_owned()
    }

    /// The log so far: every line is a JSON object.
    pub(crate) fn log(&self) -> Vec<Value> {
        log(&self.process)
    }

    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        self.process.exit(DEADLINE).await.code()
    }
}

fn start(command: &str, database_url: &str, more: &[(&'static str, &str)]) -> Service {
    let mut variables = vec![
        ("TASKFLOW_LISTEN_ADDRESS", "127.0.0.1"),
        ("TASKFLOW_HTTP_PORT", "0"),
        ("TASKFLOW_INTERNAL_PORT", "0"),
        ("TASKFLOW_METRICS_PORT", "0"),
        ("TASKFLOW_DATABASE_URL", database_url),
    ];
    variables.extend(more);
    let program = Path::new(env!("CARGO_BIN_EXE_bare-service"));
    Service::start(
        program,
        &[command],
        variables.into_iter().map(|(name, value)| (name, value.to_owned())),
    )
}

async fn migrated(database: &Database) {
    let mut migration = start("migrate", &database.url(), &[]);
    assert!(migration.exit(DEADLINE).await.success(), "{:?}", migration.lines());
}

async fn get(address: SocketAddr, path: &str) -> Answer {
    Answer::to(client().get(format!("http://{address}{path}"))).await
}

fn log(process: &Service) -> Vec<Value> {
    let lines = process.lines();
    let parsed = lines.iter().map(|line| serde_json::from_str(line));
    parsed
        .map(|line| line.unwrap_or_else(|error| panic!("{error} in the log:\n{}", lines.join("\n"))))
        .collect()
}

fn messages(process: &Service) -> Vec<String> {
    log(process)
        .iter()
        .map(|line| line["message"].as_str().expect("a line has a message").to_owned())
        .collect()
}

/// A request whose body is not whole yet: it is being answered, and stays so.
async fn begun_request(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /tasks HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nab";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn rest_of_answer(mut stream: TcpStream) -> String {
    stream.write_all(b"cd").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
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

#[tokio::test]
async fn an_outage_of_the_database_is_survived_from_the_first_moment_on() {
    let database = Database::empty().await;
    migrated(&database).await;
    let detour = Detour::to(&database.url()).await;
    let service = Bare::start(&detour.url(), &[]).await;
    let not_ready = async |what| {
        wait_until(what, DEADLINE, async || match service.get("/ready").await {
            answer if answer.text.contains("not reachable") => Ok(answer),
            answer => Err(answer.text),
        })
        .await
    };
    let answer = not_ready("the database is away at the start").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["draining"], false);
    assert_eq!(service.get("/health").await.status, 200, "the process lives");
    assert_eq!(get(service.internal, "/ready/events").await.status, 503);
    assert_eq!(service.metric(r#"dependency_up{dependency="database"}"#).await, "0");

    detour.open();
    service.becomes_ready().await;
    assert_eq!(get(service.internal, "/ready/events").await.status, 200);

    detour.cut();
    not_ready("the database is away again").await;
    detour.open();
    service.becomes_ready().await;
    assert_eq!(service.metric(r#"dependency_up{dependency="database"}"#).await, "1");
}

#[tokio::test]
async fn a_database_that_hangs_is_away() {
    let database = Database::empty().await;
    migrated(&database).await;
    let detour = Detour::to(&database.url()).await;
    detour.open();
    let service = Bare::start(&detour.url(), &[]).await;
    service.becomes_ready().await;
    detour.hang();
    wait_until("the service is not ready", DEADLINE, async || {
        match service.get("/ready").await {
            answer if answer.status == 503 => Ok(()),
            answer => Err(answer.text),
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_waits_for_its_migrations() {
    let database = Database::empty().await;
    let service = Bare::start(&database.url(), &[]).await;
    wait_until("the migrations are missed", DEADLINE, async || {
        match service.get("/ready").await {
            answer if answer.json()["checks"]["migrations"] == "not applied" => Ok(()),
            answer => Err(answer.text),
        }
    })
    .await;
    migrated(&database).await;
    service.becomes_ready().await;
}

#[tokio::test]
async fn ten_thousand_silent_connections_keep_nobody_out() {
    let database = Database::empty().await;
    let service = Bare::ready(&database).await;
    let mut silent = Vec::new();
    for _ in 0..10_000 {
        let mut stream = TcpStream::connect(service.public).await.unwrap();
        // The beginning of a request, which never ends.
        stream.write_all(b"GET /tags HTTP/1.1\r\n").await.unwrap();
        silent.push(stream);
    }
    assert_eq!(service.get("/tags").await.status, 200);
    assert_eq!(service.get("/health").await.status, 200);
    let resident: f64 = service.metric("process_resident_memory_bytes").await.parse().unwrap();
    assert!(resident < 100e6, "{resident} bytes");
    // Those that were let in last are still there; the first had to go.
    let mut byte = [0; 1];
    assert!(
        matches!(silent[0].read(&mut byte).await, Ok(0) | Err(_)),
        "the first connection is closed"
    );
    let last = silent.last_mut().unwrap();
    last.write_all(b"host: x\r\n\r\n").await.unwrap();
    assert_eq!(
        last.read(&mut byte).await.unwrap(),
        1,
        "the last connection is answered"
    );
}

#[tokio::test]
async fn every_problem_with_the_configuration_is_told_at_once() {
    let wrong = [
        ("TASKFLOW_HTTP_PORT", "eighty"),
        ("TASKFLOW_DATABASE_MAX_CONNECTIONS", "0"),
        ("TASKFLOW_LOG", "loud,,=="),
        ("TASKFLOW_HTPP_PORT", "80"),
    ];
    let mut check = start("check-config", "mysql://somebody:sesame@nowhere", &wrong);
    assert_eq!(check.exit(DEADLINE).await.code(), Some(2));
    let said = check.lines().join("\n");
    for expected in [
        "`TASKFLOW_HTTP_PORT` must be integer, 0 to 65535; 0 takes a free one; it is `eighty`",
        "`TASKFLOW_DATABASE_MAX_CONNECTIONS` must be integer, 1 to 200; it is `0`",
        "`TASKFLOW_LOG` must be a level or tracing filter directives; it is `loud,,==`",
        "`TASKFLOW_DATABASE_URL` must be a postgresql address with role and password; it is not, and is not shown",
        "`TASKFLOW_HTPP_PORT` is read by no service; did you mean `TASKFLOW_HTTP_PORT`?",
    ] {
        assert!(said.contains(expected), "no {expected} in\n{said}");
    }
    assert!(!said.contains("sesame"), "{said}");

    let mut served = start("serve", "mysql://somebody:sesame@nowhere", &wrong);
    assert_eq!(served.exit(DEADLINE).await.code(), Some(2));
    let refused = log(&served);
    assert!(
        refused.iter().any(|line| line["variable"] == "TASKFLOW_HTTP_PORT"),
        "{refused:?}"
    );
    assert!(!served.lines().join("\n").contains("sesame"));
}

#[tokio::test]
async fn a_valid_configuration_is_said_to_be_so() {
    let mut check = start("check-config", "postgres://role@host/taskflow", &[]);
    assert_eq!(check.exit(DEADLINE).await.code(), Some(0), "{:?}", check.lines());
    assert_eq!(check.lines(), ["the configuration of chat-api is valid"]);
}

#[tokio::test]
async fn an_unknown_variable_is_only_a_warning_when_serving() {
    let database = Database::empty().await;
    let service = Bare::start(&database.url(), &[("TASKFLOW_NEW_FEATURE", "on")]).await;
    let said = messages(&service.process);
    assert!(
        said.contains(&"`TASKFLOW_NEW_FEATURE` is read by no service".to_owned()),
        "{said:?}"
    );
}

#[tokio::test]
async fn there_is_no_default_command() {
    let program = env!("CARGO_BIN_EXE_bare-service");
    let output = tokio::process::Command::new(program)
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    for command in ["serve", "migrate", "check-config"] {
        assert!(said.contains(command), "{said}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut service = start(
        "serve",
        "postgres://role@127.0.0.1:1/taskflow",
        &[("TASKFLOW_METRICS_PORT", &port)],
    );
    assert_eq!(service.exit(DEADLINE).await.code(), Some(1));
    let said = messages(&service).join("\n");
    assert!(
        said.contains(&format!(
            "could not listen on 127.0.0.1, port {port}, for metrics requests"
        )),
        "{said}"
    );
}
