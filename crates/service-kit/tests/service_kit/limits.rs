//! Load on a real socket.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use reqwest::Client;
use service_kit::{config::LimitSettings, limits};
use test_kit::wait_until;
use tokio::sync::{Semaphore, mpsc};

use crate::app::{Answer, App, metrics, value_of};

const DEADLINE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn requests_beyond_what_is_answered_at_once_are_refused_and_the_others_finish() {
    let metrics = metrics();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let release = Arc::new(Semaphore::new(0));
    let released = Arc::clone(&release);
    let hold = async move || {
        begun.send(()).unwrap();
        released.acquire().await.unwrap().forget();
        "done"
    };
    let settings = LimitSettings {
        max_concurrent_requests: 3,
        user_requests_per_second: None,
    };
    let protected = limits::protect(Router::new().route("/hold", get(hold)), &settings, &metrics);
    let app = App::serve(protected.route("/health", get(async || "alive"))).await;

    let url = app.url("/hold");
    let holding: Vec<_> = (0..3)
        .map(|_| tokio::spawn(Answer::to(Client::new().get(&url))))
        .collect();
    for _ in 0..3 {
        begins.recv().await.unwrap();
    }
    let refused = Answer::to(Client::new().get(&url)).await;
    assert_eq!(refused.problem(), (503, "overloaded".to_owned()));
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(
        value_of(&metrics, r#"http_requests_shed_total{reason="concurrency"}"#),
        "1"
    );
    assert_eq!(
        Answer::to(Client::new().get(app.url("/health"))).await.text,
        "alive",
        "probes are exempt"
    );

    release.add_permits(4);
    for answer in holding {
        assert_eq!(answer.await.unwrap().text, "done");
    }
    wait_until("a place is free again", DEADLINE, async || {
        let answer = Answer::to(Client::new().get(&url)).await;
        if answer.text == "done" {
            Ok(())
        } else {
            Err(answer.text)
        }
    })
    .await;
}

#[tokio::test]
async fn pages_of_the_applications_own_address_may_read_answers_and_refusals() {
    let router = Router::new().route("/", get(async || "hello"));
    let settings = LimitSettings {
        max_concurrent_requests: 0,
        user_requests_per_second: None,
    };
    let router = limits::protect(router, &settings, &metrics());
    let app = App::serve(limits::allow_origin(router, "https://taskflow.example.org")).await;

    let from = |origin: &str| Answer::to(Client::new().get(app.url("/")).header("origin", origin));
    let own = from("https://taskflow.example.org").await;
    assert_eq!(own.problem(), (503, "overloaded".to_owned()));
    assert_eq!(
        own.header("access-control-allow-origin"),
        "https://taskflow.example.org"
    );
    assert!(own.header("access-control-expose-headers").contains("retry-after"));

    let foreign = from("https://evil.example.org").await;
    assert!(
        !foreign.headers.contains_key("access-control-allow-origin"),
        "{foreign:?}"
    );

    let preflight = Client::new()
        .request(reqwest::Method::OPTIONS, app.url("/"))
        .header("origin", "https://taskflow.example.org")
        .header("access-control-request-method", "PATCH")
        .header(
            "access-control-request-headers",
            "authorization,if-match,idempotency-key",
        );
    let preflight = Answer::to(preflight).await;
    assert_eq!(preflight.status, 200);
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
}
