//! Brokers that die, and brokers that fall silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use catalogue::{
    delivery::PUBLISH_DEADLINE,
    topics::{TASK_EVENTS, TASK_EVENTS_DLQ},
};
use event_bus::Outgoing;
use test_kit::{EnginePair, Topics, wait_until};
use tokio::time::Instant;

use super::{RETRY, Replica as _, Transport, journal::Journal};
use crate::sample::task_updated;

const TASKS: i64 = 20;
/// An outage takes a publish deadline to be seen, and a broker half a minute to be back.
const PATIENCE: Duration = Duration::from_mins(2);

/// Publishes like a relay: what failed goes again, in its order, before anything newer.
#[derive(Default)]
struct Writer {
    failures: AtomicUsize,
    finish: AtomicBool,
}

impl Writer {
    /// Returns the last version of every task.
    async fn write(&self, transport: &impl Transport) -> i64 {
        let (mut version, mut unpublished) = (0, Vec::new());
        while !self.finish.load(SeqCst) || !unpublished.is_empty() {
            if !self.finish.load(SeqCst) && unpublished.len() < 1_000 {
                version += 1;
                unpublished.extend((1..=TASKS).map(|task| task_updated(task, version)));
            }
            unpublished = self.publish(transport, unpublished).await;
        }
        version
    }

    async fn publish(&self, transport: &impl Transport, batch: Vec<Outgoing>) -> Vec<Outgoing> {
        let begun = Instant::now();
        let results = transport.try_publish(&batch).await;
        assert!(
            begun.elapsed() < PUBLISH_DEADLINE + Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
        let failed: Vec<_> = batch
            .into_iter()
            .zip(results)
            .filter(|(_, result)| result.is_err())
            .collect();
        self.failures.fetch_add(failed.len(), SeqCst);
        failed.into_iter().map(|(event, _)| event).collect()
    }

    async fn fails(&self) {
        let before = self.failures.load(SeqCst);
        wait_until("a publish fails", PATIENCE, async || {
            let failures = self.failures.load(SeqCst);
            if failures > before { Ok(()) } else { Err(failures) }
        })
        .await;
    }
}

pub(crate) async fn through_outages_nothing_is_lost_and_order_is_kept<T: Transport>() {
    let engines = EnginePair::start_fast().await;
    let topics = [(TASK_EVENTS, 3), (TASK_EVENTS_DLQ, 1)];
    let topics = Topics::create_on(&engines.kafka.address(), &topics).await;
    let transport = T::start_with(topics).await;
    let journal = Journal::applying();
    let replica = transport.join(Arc::clone(&journal), RETRY);
    let writer = Writer::default();
    let outages = async {
        goes_on(&journal).await;
        engines.kafka.kill().await;
        writer.fails().await;
        transport.tells_of_an_outage().await;
        engines.kafka.start().await;
        goes_on(&journal).await;
        engines.kafka.pause().await;
        writer.fails().await;
        engines.kafka.unpause().await;
        goes_on(&journal).await;
        writer.finish.store(true, SeqCst);
    };
    let (versions, ()) = tokio::join!(writer.write(&transport), outages);

    for task in 1..=TASKS {
        wait_until("every version is applied", PATIENCE, async || {
            let last = journal.applied(task).last().copied();
            if last >= Some(versions) {
                Ok(())
            } else {
                Err(format!("{last:?} of {versions}"))
            }
        })
        .await;
        assert_eq!(journal.applied(task), (1..=versions).collect::<Vec<_>>(), "task {task}");
    }
    replica.stop().await;
    assert_eq!(transport.dead_letter_count().await, 0);
}

/// Events are applied as if nothing had been.
async fn goes_on(journal: &Journal) {
    let before = journal.applied_count();
    wait_until("hundreds of events are applied", PATIENCE, async || {
        let applied = journal.applied_count() - before;
        if applied >= 500 { Ok(()) } else { Err(applied) }
    })
    .await;
}
