use catalogue::{Catalogue, app_ids};

use super::*;

fn health() -> (Health, Metrics, CancellationToken) {
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::CHAT_API);
    let stop = CancellationToken::new();
    (Health::new(&metrics, stop.clone()), metrics, stop)
}

fn up(metrics: &Metrics, dependency: &str) -> bool {
    metrics.gauge(&DEPENDENCY_UP, &[dependency]).get() > 0.5
}

#[test]
fn a_service_that_needs_nothing_is_ready() {
    let (health, metrics, _) = health();
    assert!(health.is_ready() && health.may_consume());
    assert!(["broker", "database", "token_issuer"].iter().all(|it| up(&metrics, it)));
}

#[test]
fn a_check_fails_until_it_holds() {
    let (health, metrics, _) = health();
    let database = health.check("database", NeededFor::Everything);
    assert!(!health.is_ready() && !health.may_consume() && !up(&metrics, "database"));
    database.holds();
    assert!(health.is_ready() && health.may_consume() && up(&metrics, "database"));
    database.fails("not reachable");
    assert!(!health.is_ready() && !health.may_consume() && !up(&metrics, "database"));
    assert!(up(&metrics, "broker"), "it is not needed");
}

#[test]
fn requests_and_events_need_different_things() {
    let (health, _, _) = health();
    let (issuer, mailbox) = (
        health.check("token_issuer", NeededFor::Requests),
        health.check("mailbox", NeededFor::Events),
    );
    assert!(!health.is_ready() && !health.may_consume());
    issuer.holds();
    assert!(health.is_ready() && !health.may_consume());
    issuer.fails("no answer");
    mailbox.holds();
    assert!(!health.is_ready() && health.may_consume());
}

#[test]
fn a_service_that_drains_takes_no_traffic_but_may_consume() {
    let (health, _, stop) = health();
    let database = health.check("database", NeededFor::Everything);
    database.holds();
    stop.cancel();
    assert!(!health.is_ready() && health.may_consume());
}

#[tokio::test]
async fn the_answer_tells_what_is_needed_and_what_is_wrong() {
    let (health, _, _) = health();
    health.check("database", NeededFor::Everything).holds();
    health.check("token_issuer", NeededFor::Requests).fails("no answer");
    let told = async |answer: Response| {
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let (status, body) = told(ready(State(health.clone())).await).await;
    let checks = r#"{"database":"ok","token_issuer":"no answer"}"#;
    assert_eq!(
        (status, body),
        (503, format!(r#"{{"ready":false,"draining":false,"checks":{checks}}}"#))
    );
    let (status, body) = told(ready_for_events(State(health)).await).await;
    let expected = r#"{"ready":true,"draining":false,"checks":{"database":"ok"}}"#;
    assert_eq!((status, body.as_str()), (200, expected));
}
