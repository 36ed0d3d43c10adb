//! Very many reminders of one second, by jobs and sweeper together.

use super::Behind;
use crate::events::Task;

/// How many.
const COUNT: i64 = 1000;
/// Time to plan and to schedule them.
const AHEAD_SECONDS: i64 = 30;

#[tokio::test]
async fn dapr_fires_a_thousand_jobs_of_one_second_and_none_is_lost_or_doubled() {
    let behind = Behind::start().await;
    let replica = behind.replica().await;
    let at = Task::in_seconds("ada", 1, AHEAD_SECONDS).reminders;
    let events: Vec<_> = (1..=COUNT)
        .map(|id| {
            let mut task = Task::in_seconds("ada", id, 0);
            task.reminders.clone_from(&at);
            task.is_saved()
        })
        .collect();
    behind.world.publish(&events).await;
    let delivered = "select count(*) from notification.reminder where state = 'delivered'";
    behind.world.counts(delivered, COUNT).await;
    let once = "select count(*) from notification.delivery where state = 'delivered' and attempts = 1";
    assert_eq!(behind.world.count(once).await, COUNT);
    let late = "select (1000 * percentile_cont(0.99) within group (order by extract(epoch from delivered_at - remind_at)))::bigint
        from notification.reminder";
    let by_job = "select count(*) from notification.reminder where claimed_by = 'job'";
    println!(
        "p99 of lateness: {} ms; claimed by jobs: {} of {COUNT}",
        behind.world.count(late).await,
        behind.world.count(by_job).await
    );
    replica.stop().await;
    behind.world.assert_settled().await;
}
