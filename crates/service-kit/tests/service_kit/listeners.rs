//! Connections and requests at the edge: slow, silent, many, nameless, traced.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use futures::StreamExt as _;
use metrics::Metrics;
use service_kit::{
    config::{Reader, ServiceSettings},
    health::Health,
    server::{self, ConnectionLimits, CorrelationId, Listeners, Routes, Site},
    shutdown::Tasks,
};
use test_kit::wait_until;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Semaphore, mpsc},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    app::{Answer, client, metrics, value_of},
    bare::DEADLINE,
};

/// Short enough to wait for, long enough for any request here.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);

/// Address whose pages call the service.
const PAGES: &str = "https://taskflow.example.org";

/// A service that answers, in this process.
struct Served {
    public: SocketAddr,
    metrics: Metrics,
    tasks: Tasks,
    running: JoinHandle<bool>,
}

impl Served {
    /// With a place for so many connections.
    async fn new(public: Router, connections: usize) -> Self {
        let limits = ConnectionLimits {
            public: connections,
            head_timeout: HEAD_TIMEOUT,
            ..ConnectionLimits::default()
        };
        Self::within(limits, public).await
    }

    async fn within(connections: ConnectionLimits, public: Router) -> Self {
        let ports = ["TASKFLOW_HTTP_PORT", "TASKFLOW_INTERNAL_PORT", "TASKFLOW_METRICS_PORT"].map(|name| (name, "0"));
        let others = [
            ("TASKFLOW_LISTEN_ADDRESS", "127.0.0.1"),
            ("TASKFLOW_DATABASE_URL", "postgres://nobody@nowhere/x"),
        ];
        let mut reader = Reader::new(&catalogue::services::CHAT_API, ports.into_iter().chain(others));
        let settings = ServiceSettings::read(&mut reader);
        let settings = reader.finish(settings).expect("they are valid");
        let (metrics, tasks) = (metrics(), Tasks::new());
        let site = Site {
            metrics: metrics.clone(),
            health: Health::new(&metrics, tasks.stop().clone()),
            tasks: tasks.clone(),
            limits: settings.limits,
        };
        let routes = Routes {
            public,
            pages: Some(PAGES.to_owned()),
            connections,
            ..Routes::default()
        };
        let listeners = Listeners::bind(&settings.process)
            .await
            .expect("loopback has free ports");
        let public = listeners.public_address();
        let running = tokio::spawn(server::run(listeners, routes, site, Duration::from_secs(5)));
        Self {
            public,
            metrics,
            tasks,
            running,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::to(client().get(format!("http://{}{path}", self.public))).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.public).await.expect("the listener lets us in")
    }

    /// A connection that has sent this.
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(text.as_bytes()).await.expect("the listener reads");
        stream
    }

    async fn stop(self) -> bool {
        self.tasks.stop().cancel();
        self.running.await.expect("serving does not panic")
    }
}

/// What comes until the connection ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = timeout(DEADLINE, stream.read_to_string(&mut text)).await;
    // A connection that is cut may be reset.
    drop(read.expect("the connection ends"));
    text
}

fn cut_off_in_time(begun: Instant) {
    let waited = begun.elapsed();
    assert!(waited >= HEAD_TIMEOUT && waited < HEAD_TIMEOUT + DEADLINE, "{waited:?}");
}

fn hello() -> Router {
    Router::new().route("/tags", get(async || "hello"))
}

#[tokio::test]
async fn a_client_that_sends_its_request_slowly_is_cut_off() {
    let served = Served::new(hello(), 10).await;
    let begun = Instant::now();
    let mut slow = served.send("GET /tags HTTP/1.1\r\nhost: ").await;
    assert_eq!(rest(&mut slow).await, "");
    cut_off_in_time(begun);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_cut_off() {
    let served = Served::new(hello(), 10).await;
    let begun = Instant::now();
    assert_eq!(rest(&mut served.connect().await).await, "");
    cut_off_in_time(begun);
}

#[tokio::test]
async fn a_connection_that_is_kept_alive_for_nothing_is_closed() {
    let served = Served::new(hello(), 10).await;
    let begun = Instant::now();
    let mut idle = served.send("GET /tags HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = rest(&mut idle).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello"),
        "{answer}"
    );
    cut_off_in_time(begun);
}

#[tokio::test]
async fn silent_connections_make_place() {
    let limits = ConnectionLimits {
        public: 3,
        head_timeout: DEADLINE * 10, // none of them is cut off for its silence
        ..ConnectionLimits::default()
    };
    let served = Served::within(limits, hello()).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(served.connect().await);
    }
    for _ in 0..5 {
        assert_eq!(served.get("/tags").await.text, "hello");
    }
    assert_eq!(rest(&mut silent[0]).await, "", "the first is closed");
}

#[tokio::test]
async fn busy_connections_make_no_place_and_the_next_is_told_so() {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let release = Arc::new(Semaphore::new(0));
    let places = Arc::clone(&release);
    let handler = async move || {
        begun.send(()).unwrap();
        places.acquire().await.unwrap().forget();
        "held"
    };
    let service = Served::new(Router::new().route("/tags", get(handler)), 2).await;
    let request = "GET /tags HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut busy = [service.send(request).await, service.send(request).await];
    for _ in 0..2 {
        begins.recv().await.unwrap();
    }
    let refused = rest(&mut service.connect().await).await;
    assert!(
        refused.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"),
        "{refused}"
    );
    release.add_permits(2);
    for stream in &mut busy {
        assert!(rest(stream).await.ends_with("held"));
    }
}

#[tokio::test]
async fn a_connection_is_busy_until_the_last_byte_of_its_answer() {
    let (sender, receiver) = mpsc::unbounded_channel::<Bytes>();
    let receiver = Arc::new(tokio::sync::Mutex::new(Some(receiver)));
    let stream = async move || {
        let receiver = receiver.lock().await.take().unwrap();
        let chunks = futures::stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        Body::from_stream(chunks.map(Ok::<_, std::io::Error>))
    };
    let router = hello().route("/me", get(stream));
    let served = Served::new(router, 1).await;
    let mut streaming = served
        .send("GET /me HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await;
    sender.send(Bytes::from_static(b"first")).unwrap();
    let mut seen = String::new();
    while !seen.contains("first") {
        let mut buffer = [0; 256];
        let length = streaming.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the answer ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    assert!(rest(&mut served.connect().await).await.starts_with("HTTP/1.1 503"));
    sender.send(Bytes::from_static(b"last")).unwrap();
    drop(sender);
    assert!(rest(&mut streaming).await.contains("last"));
    wait_until("there is place again", DEADLINE, async || {
        let answer = rest(
            &mut served
                .send("GET /tags HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                .await,
        )
        .await;
        if answer.ends_with("hello") { Ok(()) } else { Err(answer) }
    })
    .await;
}

#[tokio::test]
async fn what_is_no_http_gets_an_answer_and_disturbs_nobody() {
    let served = Served::new(hello(), 10).await;
    for nonsense in [
        "\x16\x03\x01\x02\x00",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let answer = rest(&mut served.send(nonsense).await).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{nonsense:?}: {answer}");
    }
    let long = format!("GET /tags HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "a".repeat(100_000));
    let answer = rest(&mut served.send(&long).await).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(served.get("/tags").await.text, "hello");
}

#[tokio::test]
async fn requests_are_counted_by_method_route_and_status() {
    let router = hello()
        .route("/tasks/{id}", get(async || "one"))
        .route("/secret", get(async || "not in the catalogue"));
    let served = Served::new(router, 10).await;
    for path in ["/tasks/1", "/tasks/2", "/nothing", "/secret", "/health"] {
        served.get(path).await;
    }
    let brew = client().request("BREW".parse().unwrap(), format!("http://{}/tags", served.public));
    assert_eq!(Answer::to(brew).await.problem(), (405, "method_not_allowed".to_owned()));
    let count = |method, route, status| {
        let labels = format!(r#"{{method="{method}",route="{route}",status="{status}"}}"#);
        value_of(&served.metrics, &format!("http_requests_total{labels}"))
    };
    assert_eq!(count("GET", "/tasks/{id}", 200), "2");
    assert_eq!(count("GET", "unmatched", 404), "1");
    assert_eq!(
        count("GET", "unmatched", 200),
        "1",
        "a route that the catalogue does not know"
    );
    assert_eq!(count("GET", "/health", 200), "1");
    assert_eq!(count("other", "/tags", 405), "1");
    let timed = r#"http_request_duration_seconds_count{method="GET",route="/tasks/{id}"}"#;
    assert_eq!(value_of(&served.metrics, timed), "2");
    assert_eq!(value_of(&served.metrics, "http_requests_in_flight"), "0");
}

#[tokio::test]
async fn a_client_that_goes_away_is_in_flight_no_longer() {
    let (begun, mut begins) = mpsc::unbounded_channel();
    let wait = async move || {
        begun.send(()).unwrap();
        std::future::pending::<()>().await;
    };
    let served = Served::new(Router::new().route("/tags", get(wait)), 10).await;
    let waiting = served.send("GET /tags HTTP/1.1\r\nhost: x\r\n\r\n").await;
    begins.recv().await.unwrap();
    assert_eq!(value_of(&served.metrics, "http_requests_in_flight"), "1");
    drop(waiting);
    wait_until("nothing is in flight", DEADLINE, async || {
        match value_of(&served.metrics, "http_requests_in_flight") {
            number if number == "0" => Ok(()),
            number => Err(number),
        }
    })
    .await;
}

#[tokio::test]
async fn every_answer_names_its_correlation_id() {
    let echo = Router::new().route("/tags", get(async |id: CorrelationId| id.as_str().to_owned()));
    let served = Served::new(echo, 10).await;
    let ask = async |id: Option<&str>| {
        let request = client().get(format!("http://{}/tags", served.public));
        Answer::to(
            id.into_iter()
                .fold(request, |request, id| request.header("x-correlation-id", id)),
        )
        .await
    };
    let told = ask(Some("0198-a_b.C")).await;
    assert_eq!(
        (told.text.as_str(), told.header("x-correlation-id")),
        ("0198-a_b.C", "0198-a_b.C")
    );
    let (one, two) = (ask(None).await, ask(None).await);
    assert_eq!(one.header("x-correlation-id"), one.text);
    assert_ne!(one.text, two.text);
    for wrong in ["", "a b", "a\"b", "ä", &"a".repeat(65)] {
        let answer = ask(Some(wrong)).await;
        assert_ne!(answer.text, wrong);
        assert_eq!(answer.text.len(), 36, "a new one: {}", answer.text);
    }
    let refused = served.get("/nothing").await;
    assert_eq!(refused.status, 404);
    assert_eq!(refused.header("x-correlation-id").len(), 36);
}

#[tokio::test]
async fn nothing_to_finish_is_finished_at_once() {
    let served = Served::new(hello(), 10).await;
    assert_eq!(served.get("/tags").await.text, "hello");
    let begun = Instant::now();
    assert!(served.stop().await);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn pages_of_the_application_may_read_every_answer() {
    let served = Served::new(Router::new().route("/", get(async || "hello")), 16).await;
    for (path, status) in [("/", 200), ("/nowhere", 404)] {
        let request = client()
            .get(format!("http://{}{path}", served.public))
            .header("origin", PAGES);
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), PAGES);
    }
    assert!(served.stop().await);
}
