//! Unavailable is not poison.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use catalogue::metrics::{CONSUMER_REBALANCES_TOTAL, CONSUMPTION_PAUSED};
use event_bus::{Cause, Outcome, RetryPolicy};
use test_kit::wait_until;

use super::{
    Replica, Transport,
    journal::{Answer, Journal, failed},
};
use crate::{sample::task_updated, support::PATIENCE};

/// All four attempts would be over within 40 ms.
const HASTY: RetryPolicy = RetryPolicy {
    retries: 3,
    first_wait: Duration::from_millis(10),
    longest_wait: Duration::from_millis(10),
    attempt_timeout: Duration::from_secs(2),
};

pub(crate) async fn while_its_database_is_away_a_service_holds_everything<T: Transport>() {
    let transport = T::start(3).await;
    let away = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let available = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let journal = Journal::scripted_with(Arc::clone(&available), {
        let (away, available) = (Arc::clone(&away), Arc::clone(&available));
        move |_, _| {
            if away.load(SeqCst) {
                // From here on it is known: who never was available would not be delivered to.
                available.store(false, SeqCst);
                Answer::Say(failed())
            } else {
                Answer::Apply
            }
        }
    });
    let replica = transport.join(Arc::clone(&journal), HASTY);
    let events: Vec<_> = (1..=30).map(|task| task_updated(task, 1)).collect();
    transport.publish(&events).await;
    paused(&replica, true).await;
    let rebalances = replica.metrics().counter(&CONSUMER_REBALANCES_TOTAL, &[]);
    let rebalances_before = rebalances.get();

    // Many times longer than all attempts take, and than a session: whatever is counted would end here.
    wait_until(
        "the handler is asked for the 30th time",
        Duration::from_mins(1),
        async || {
            let asked = journal.asked.load(SeqCst);
            if asked >= 30 { Ok(()) } else { Err(asked) }
        },
    )
    .await;
    assert!(
        journal.delivery_count() <= 3,
        "no more than one delivery of each partition is tried"
    );
    assert_eq!(
        rebalances.get(),
        rebalances_before,
        "the replica stays a member of its group"
    );

    away.store(false, SeqCst);
    available.store(true, SeqCst);
    journal.has_applied(events.len()).await;
    paused(&replica, false).await;
    assert_eq!(transport.dead_letter_count().await, 0);
    replica.stop().await;
}

pub(crate) async fn what_the_handler_calls_unavailable_is_never_counted<T: Transport>() {
    let transport = T::start(1).await;
    let journal = Journal::scripted(|_, nth| {
        let error = std::io::Error::other("chat-api is not ready");
        if nth <= 5 {
            Answer::Say(Outcome::Retry(Cause::unavailable(&error)))
        } else {
            Answer::Apply
        }
    });
    transport.publish(&[task_updated(1, 1)]).await;
    let replica = transport.join(Arc::clone(&journal), HASTY);
    journal.has_applied(1).await;
    assert_eq!(journal.delivery_count(), 6);
    assert_eq!(transport.dead_letter_count().await, 0);
    replica.stop().await;
}

async fn paused(replica: &impl Replica, expected: bool) {
    wait_until(&format!("consumption_paused is {expected}"), PATIENCE, async || {
        let paused = replica.metrics().gauge(&CONSUMPTION_PAUSED, &[]).get();
        if (paused > 0.0) == expected {
            Ok(())
        } else {
            Err(paused)
        }
    })
    .await;
}
