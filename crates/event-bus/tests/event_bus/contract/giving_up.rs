//! Retries with an end, and what is written when it is reached.

use std::{sync::Arc, time::Duration};

use catalogue::{metrics::EVENTS_HANDLED_TOTAL, topics::TASK_EVENTS};
use event_bus::{Cause, Outcome, RetryPolicy, dead_letter, partition_for_key};
use jiff::Timestamp;

use super::{
    RETRY, RawRecord, Replica as _, Transport,
    journal::{Answer, Journal, failed},
};
use crate::sample::task_updated;

pub(crate) async fn a_failing_event_is_tried_four_times_and_becomes_a_dead_letter<T: Transport>() {
    let transport = T::start(1).await;
    let journal = Journal::scripted(|task, _| {
        if task == 1 {
            Answer::Say(failed())
        } else {
            Answer::Apply
        }
    });
    let (poison, next) = (task_updated(1, 1), task_updated(2, 1));
    let before = Timestamp::now();
    let header = ("left-by", b"another program".as_slice());
    let (key, value) = (Some(poison.key.as_str()), Some(&*poison.value));
    transport.publish_raw(RawRecord { key, value, header }).await;
    transport.publish(std::slice::from_ref(&next)).await;
    let replica = transport.join(Arc::clone(&journal), RETRY);

    let letters = transport.dead_letters(1).await;
    journal.has_applied(1).await;
    assert_eq!(journal.deliveries(poison.event_id), 4);
    assert_eq!(journal.applied(2), [1], "what stands behind is handled");

    let letter = &letters[0];
    assert_eq!(letter.key.as_deref(), Some(poison.key.as_bytes()));
    assert_eq!(
        letter.value.as_deref(),
        Some(&*poison.value),
        "not a byte has changed, the event's id included"
    );
    assert_eq!(letter.header("left-by"), Some("another program"));
    assert!(letter.header(dead_letter::ORIGIN_TOPIC).unwrap().ends_with(TASK_EVENTS));
    assert_eq!(letter.header(dead_letter::ORIGIN_PARTITION), Some("0"));
    assert_eq!(letter.header(dead_letter::ORIGIN_OFFSET), Some("0"));
    assert_eq!(letter.header(dead_letter::REASON), Some("failed"));
    assert_eq!(letter.header(dead_letter::DETAIL), Some("the disk is full"));
    assert_eq!(letter.header(dead_letter::ATTEMPTS), Some("4"));
    assert_eq!(letter.header(dead_letter::CONSUMER), Some("recurring-tasks"));
    for header in [dead_letter::ORIGIN_TIMESTAMP, dead_letter::FIRST_SEEN] {
        let time: Timestamp = letter.header(header).unwrap().parse().unwrap();
        // Brokers know milliseconds.
        assert!(
            time >= before - Duration::from_millis(1) && time <= Timestamp::now(),
            "{header}: {time}"
        );
    }

    let handled = |outcome| {
        replica
            .metrics()
            .counter(&EVENTS_HANDLED_TOTAL, &[TASK_EVENTS, outcome])
            .get()
    };
    assert_eq!((handled("retry"), handled("dead_letter"), handled("done")), (3, 1, 1));
    replica.stop().await;
    assert_eq!(transport.dead_letter_count().await, 1);
}

pub(crate) async fn a_rejected_event_is_not_tried_again<T: Transport>() {
    let transport = T::start(1).await;
    let journal = Journal::scripted(|_, _| Answer::Say(Outcome::DeadLetter(Cause::rejected("a task of nobody"))));
    let event = task_updated(1, 1);
    transport.publish(std::slice::from_ref(&event)).await;
    let replica = transport.join(Arc::clone(&journal), RETRY);
    let letter = &transport.dead_letters(1).await[0];
    assert_eq!(letter.header(dead_letter::REASON), Some("rejected"));
    assert_eq!(letter.header(dead_letter::DETAIL), Some("a task of nobody"));
    assert_eq!(letter.header(dead_letter::ATTEMPTS), Some("1"));
    replica.stop().await;
    assert_eq!(journal.deliveries(event.event_id), 1);
}

pub(crate) async fn what_is_no_event_becomes_a_dead_letter_unseen<T: Transport>() {
    let transport = T::start(1).await;
    let good = task_updated(3, 1);
    let foreign = String::from_utf8(good.value.to_vec())
        .unwrap()
        .replace("dev.taskflow", "org.example");
    let cases: [(Option<&[u8]>, &str); 4] = [
        (Some(b"not json"), "not_json"),
        (None, T::WITHOUT_VALUE),
        (Some(b"{}"), "not_an_envelope"),
        (Some(foreign.as_bytes()), "unknown_type"),
    ];
    for (value, _) in cases {
        let header = ("any", b"bytes \xff\x00".as_slice());
        transport
            .publish_raw(RawRecord {
                key: None,
                value,
                header,
            })
            .await;
    }
    transport.publish(&[good]).await;
    let journal = Journal::applying();
    let replica = transport.join(Arc::clone(&journal), RETRY);
    let letters = transport.dead_letters(cases.len()).await;
    for (letter, (value, reason)) in letters.iter().zip(cases) {
        assert_eq!(letter.header(dead_letter::REASON), Some(reason));
        assert_eq!(letter.header(dead_letter::ATTEMPTS), Some("0"));
        assert_eq!((letter.key.as_deref(), letter.value.as_deref()), (None, value));
    }
    journal.has_applied(1).await;
    assert_eq!(journal.delivery_count(), 1);
    replica.stop().await;
}

pub(crate) async fn a_handler_that_panics_or_hangs_gives_up_too<T: Transport>() {
    let transport = T::start(1).await;
    let journal = Journal::scripted(|task, _| match task {
        1 => Answer::Panic,
        2 => Answer::Hang,
        _ => Answer::Apply,
    });
    transport
        .publish(&[task_updated(1, 1), task_updated(2, 1), task_updated(3, 1)])
        .await;
    let retry = RetryPolicy {
        attempt_timeout: Duration::from_millis(300),
        ..RETRY
    };
    let replica = transport.join(Arc::clone(&journal), retry);
    let letters = transport.dead_letters(2).await;
    let seen = |letter: usize| {
        let letter = &letters[letter];
        (letter.header(dead_letter::REASON), letter.header(dead_letter::ATTEMPTS))
    };
    assert_eq!(seen(0), (Some("panicked"), Some("4")));
    assert_eq!(seen(1), (Some("timed_out"), Some("4")));
    assert_eq!(letters[0].header(dead_letter::DETAIL), Some("told to"));
    journal.has_applied(1).await;
    replica.stop().await;
}

pub(crate) async fn poison_blocks_no_other_partition<T: Transport>() {
    const PARTITIONS: u32 = 3;
    let transport = T::start(PARTITIONS.cast_signed()).await;
    let partition = |task: i64| partition_for_key(task.to_string().as_bytes(), PARTITIONS);
    let journal = Journal::scripted(|task, _| {
        if task == 1 {
            Answer::Say(failed())
        } else {
            Answer::Apply
        }
    });
    let elsewhere = (2..=50).filter(|task| partition(*task) != partition(1));
    let behind = (2..=50).filter(|task| partition(*task) == partition(1));
    let poison = task_updated(1, 1);
    let events: Vec<_> = behind
        .clone()
        .chain(elsewhere.clone())
        .map(|task| task_updated(task, 1))
        .collect();
    transport.publish(std::slice::from_ref(&poison)).await;
    transport.publish(&events).await;

    // The first attempt is made, and the second is hours away.
    let waiting = RetryPolicy {
        first_wait: Duration::from_hours(1),
        longest_wait: Duration::from_hours(1),
        ..RETRY
    };
    let replica = transport.join(Arc::clone(&journal), waiting);
    journal.was_given(poison.event_id, 1).await;
    journal.has_applied(elsewhere.count()).await;
    assert!(
        behind.clone().all(|task| journal.applied(task).is_empty()),
        "order within the partition is kept"
    );
    replica.stop().await;

    // With retries that end, the rest follows.
    let replica = transport.join(Arc::clone(&journal), RETRY);
    transport.dead_letters(1).await;
    journal.has_applied(events.len()).await;
    replica.stop().await;
}
