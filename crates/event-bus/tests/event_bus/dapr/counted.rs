//! Deliveries counted, with the resources exactly as they are generated.

use std::sync::Arc;

use catalogue::{metrics::EVENTS_HANDLED_TOTAL, topics::TASK_EVENTS};
use event_bus::{RetryPolicy, dead_letter};

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
