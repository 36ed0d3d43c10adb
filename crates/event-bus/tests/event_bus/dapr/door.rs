//! Who may deliver, and what.

use catalogue::metrics::AUTH_FAILURES_TOTAL;
use event_bus::dapr::TOKEN_HEADER;
use reqwest::{Client, StatusCode};
use test_kit::sidecar::APP_TOKEN;

use super::Dapr;
use crate::{
    contract::{RETRY, Replica as _, Transport as _, journal::Journal},
    sample::task_updated,
};

const ROUTE: &str = "/events/task-events";

#[tokio::test]
async fn a_forged_delivery_is_refused_and_counted() {
    let dapr = Dapr::start(1).await;
    let journal = Journal::applying();
    let replica = dapr.join(journal.clone(), RETRY);
    let url = format!("http://127.0.0.1:{}{ROUTE}", replica.port);
    let event = String::from_utf8(task_updated(1, 1).value.to_vec()).unwrap();
    for token in [
        None,
        Some(""),
        Some("token of the servicE"),
        Some("token of the service "),
    ] {
        let mut call = Client::new().post(&url).body(event.clone());
        if let Some(token) = token {
            call = call.header(TOKEN_HEADER, token);
        }
        // Whatever surrounds the value of a header is not part of it.
        let expected = if token == Some("token of the service ") {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::UNAUTHORIZED
        };
        assert_eq!(call.send().await.unwrap().status(), expected, "{token:?}");
    }
    let forged = replica.metrics().counter(&AUTH_FAILURES_TOTAL, &["app_token"]).get();
    assert_eq!(forged, 3);
    assert_eq!(journal.delivery_count(), 0);
}

#[tokio::test]
async fn what_is_no_delivery_or_too_large_is_refused() {
    let dapr = Dapr::start(1).await;
    let journal = Journal::applying();
    let replica = dapr.join(journal.clone(), RETRY);
    let url = format!("http://127.0.0.1:{}{ROUTE}", replica.port);
    let post = async |body: Vec<u8>| {
        let call = Client::new().post(&url).header(TOKEN_HEADER, APP_TOKEN).body(body);
        call.send().await.unwrap().status()
    };
    assert_eq!(post(Vec::new()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(br#"{"data":{}}"#.to_vec()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(vec![b' '; 4 << 20]).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(journal.delivery_count(), 0);
}
