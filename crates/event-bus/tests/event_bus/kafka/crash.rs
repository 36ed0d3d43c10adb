//! SIGKILL at each crash point of the consumer.

use std::{os::unix::process::ExitStatusExt as _, sync::Arc};

use event_bus::crash::VARIABLE;
use futures::future::join_all;

use super::{Kafka, Replica as _, Transport as _};
use crate::{
    contract::{
        RETRY,
        journal::{Answer, Journal, failed},
        redelivery::{POISONED_TASK, VictimProcess, victims_die_here},
    },
    sample::task_updated,
};

/// Each point, and how many dead letters there are in the end: one that was written before the crash is written again.
const POINTS: [(&str, i64); 6] = [
    ("consumer.before_effect:3", 1),
    ("consumer.after_effect:3", 1),
    ("consumer.before_ack:3", 1),
    ("consumer.after_ack:3", 1),
    ("consumer.after_dead_letter", 2),
    ("consumer.before_ack:5", 2),
];

#[tokio::test]
async fn whatever_a_replica_dies_of_the_next_one_completes() {
    victims_die_here::<Kafka>().await;
    join_all(POINTS.map(|(point, letters)| dies_at(point, letters))).await;
}

async fn dies_at(point: &str, letters: i64) {
    let kafka = Kafka::start(1).await;
    let tasks = [1, 2, 3, 4, POISONED_TASK, 5, 6];
    kafka.publish(&tasks.map(|task| task_updated(task, 1))).await;
    let victim = VictimProcess::start(&kafka.address(), Some((VARIABLE, point)));
    let (status, before) = victim.ends().await;
    assert_eq!(status.signal(), Some(9), "{point}: {status}");

    let journal = Journal::scripted(|task, _| match task {
        POISONED_TASK => Answer::Say(failed()),
        _ => Answer::Apply,
    });
    let replica = kafka.join(Arc::clone(&journal), RETRY);
    journal.has_applied_version(6, 1).await;
    replica.stop().await;
    for task in tasks.into_iter().filter(|task| *task != POISONED_TASK) {
        let applied = before.contains(&(task, 1)) || journal.applied(task) == [1];
        assert!(applied, "{point}: task {task} is lost");
    }
    assert_eq!(kafka.dead_letter_count().await, letters, "{point}");
}
