//! Deliveries counted, with the resources exactly as they are generated.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use axum::{Router, http::StatusCode, routing::get};
use catalogue::{metrics::EVENTS_HANDLED_TOTAL, paths, services::RECURRING_TASKS, topics::TASK_EVENTS};
use event_bus::{RetryPolicy, dead_letter};
use test_kit::Sidecar;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::Dapr;
use crate::{
    contract::{
        Replica as _, Transport as _,
        journal::{Answer, Journal, failed},
    },
    sample::task_updated,
};

#[tokio::test]
async fn a_failing_event_is_delivered_once_and_three_times_more_and_then_it_is_a_dead_letter() {
    let dapr = Dapr::start(1).await;
    let journal = Journal::scripted(|task, _| {
        if task == 1 {
            Answer::Say(failed())
        } else {
            Answer::Apply
        }
    });
    let poison = task_updated(1, 1);
    dapr.publish(&[poison.clone(), task_updated(2, 1)]).await;
    let replica = dapr.join_with(Arc::clone(&journal), RetryPolicy::default(), &dapr.resources);
    let letters = dapr.dead_letters(1).await;
    journal.has_applied(1).await;
    assert_eq!(journal.deliveries(poison.event_id), 1 + 3);
    assert_eq!(letters[0].header(dead_letter::ATTEMPTS), Some("4"));
    assert_eq!(letters[0].header(dead_letter::REASON), Some("failed"));
    assert_eq!(letters[0].value.as_deref(), Some(&*poison.value));

    let told = replica
        .sidecar
        .sum_of("dapr_component_pubsub_ingress_count", &["process_status=\"retry\""])
        .await;
    assert!(
        (told - 3.0).abs() < f64::EPSILON,
        "the sidecar has counted {told} retries"
    );
    let given_up = replica
        .metrics()
        .counter(&EVENTS_HANDLED_TOTAL, &[TASK_EVENTS, "dead_letter"]);
    assert_eq!(given_up.get(), 1);
    replica.stop().await;
    assert_eq!(dapr.dead_letter_count().await, 1);
}

/// A service that answers everything with one status, healthy as it seems.
struct Broken {
    deliveries: Arc<AtomicUsize>,
    sidecar: Sidecar,
    _listening: AbortOnDropHandle<()>,
}

impl Broken {
    async fn answering(status: StatusCode, dapr: &Dapr) -> Self {
        let deliveries = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&deliveries);
        let deliver = async move || {
            counted.fetch_add(1, SeqCst);
            status
        };
        let routes: Router = Router::new()
            .route(paths::READY_EVENTS, get(async || StatusCode::OK))
            .fallback(deliver);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let listening = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self {
            deliveries,
            sidecar: Sidecar::start(RECURRING_TASKS.app_id, Some(port), &dapr.resources),
            _listening: AbortOnDropHandle::new(listening),
        }
    }
}

#[tokio::test]
async fn what_nobody_answers_well_becomes_a_letter_of_the_sidecar_which_has_no_reason() {
    for (status, deliveries) in [(StatusCode::NOT_FOUND, 1), (StatusCode::INTERNAL_SERVER_ERROR, 1 + 3)] {
        let dapr = Dapr::start(1).await;
        let event = task_updated(1, 1);
        dapr.publish(std::slice::from_ref(&event)).await;
        let broken = Broken::answering(status, &dapr).await;
        let letters = dapr.dead_letters(1).await;
        assert_eq!(broken.deliveries.load(SeqCst), deliveries, "{status}");
        assert_eq!(letters[0].header(dead_letter::REASON), None);
        assert_eq!(
            letters[0].value.as_deref(),
            Some(&*event.value),
            "not a byte has changed"
        );
        let dropped = ["process_status=\"drop\""];
        let dropped = broken
            .sidecar
            .sum_of("dapr_component_pubsub_ingress_count", &dropped)
            .await;
        assert!(dropped > 0.0, "the alert's own metric has changed: {dropped}");
    }
}

#[tokio::test]
async fn a_subscription_that_is_not_raw_is_found_out() {
    let dapr = Dapr::start(1).await;
    let journal = Journal::applying();
    dapr.publish(&[task_updated(1, 1)]).await;
    let resources = dapr.resources.clone().with(|object| {
        if object["kind"] == "Subscription" {
            object["spec"]["metadata"] = serde_json::json!({});
        }
    });
    let replica = dapr.join_with(Arc::clone(&journal), RetryPolicy::default(), &resources);
    dapr.dead_letters(1).await;
    assert_eq!(journal.delivery_count(), 0);
    replica.stop().await;
}
