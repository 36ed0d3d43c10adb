//! Order per key.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use super::{RETRY, Replica as _, Transport, journal::Journal};
use crate::sample::task_updated;

const WRITERS: i64 = 4;
const TASKS_OF_A_WRITER: i64 = 5;

pub(crate) async fn events_of_one_task_keep_their_order_under_writers_and_rebalances<T: Transport>() {
    let transport = T::start(6).await;
    let journal = Journal::applying();
    let finish = AtomicBool::new(false);
    let writers = futures::future::join_all((0..WRITERS).map(|writer| write(&transport, writer, &finish)));
    let replicas = async {
        come_and_go(&transport, &journal).await;
        finish.store(true, SeqCst);
    };
    let (versions, ()) = tokio::join!(writers, replicas);

    let last = transport.join(Arc::clone(&journal), RETRY);
    let written: i64 = versions.iter().map(|versions| versions * TASKS_OF_A_WRITER).sum();
    journal.has_applied(usize::try_from(written).unwrap()).await;
    for (writer, versions) in (0..WRITERS).zip(versions) {
        for task in tasks_of(writer) {
            assert_eq!(journal.applied(task), (1..=versions).collect::<Vec<_>>(), "task {task}");
        }
    }
    assert_eq!(
        journal.overlaps(),
        [0; 0],
        "two events of one task were handled at once"
    );
    last.stop().await;
}

/// Replicas join one by one and leave one by one, each time while events flow.
async fn come_and_go<T: Transport>(transport: &T, journal: &Arc<Journal>) {
    let mut replicas = std::collections::VecDeque::new();
    for _ in 0..3 {
        replicas.push_back(transport.join(Arc::clone(journal), RETRY));
        journal.has_applied(journal.applied_count() + 200).await;
    }
    while let Some(oldest) = replicas.pop_front() {
        oldest.stop().await;
        if !replicas.is_empty() {
            journal.has_applied(journal.applied_count() + 200).await;
        }
    }
}

/// Publishes version after version of its tasks, until told to finish; returns how many.
async fn write<T: Transport>(transport: &T, writer: i64, finish: &AtomicBool) -> i64 {
    let mut version = 0;
    while !finish.load(SeqCst) {
        version += 1;
        let events: Vec<_> = tasks_of(writer).map(|task| task_updated(task, version)).collect();
        transport.publish(&events).await;
    }
    version
}

fn tasks_of(writer: i64) -> std::ops::RangeInclusive<i64> {
    writer * TASKS_OF_A_WRITER + 1..=(writer + 1) * TASKS_OF_A_WRITER
}
