//! Whatever dies around a reminder: it is seen once, and comes to one end.

use std::{collections::BTreeSet, os::unix::process::ExitStatusExt as _};

use test_kit::{EnginePair, crash_points, wait_until};

use super::Behind;
use crate::{
    crashes,
    events::Task,
    world::{PATIENCE, Replica, World},
};

/// Reminders in each test.
const COUNT: i64 = 3;
const SCHEDULED: &str = r#"reminder_jobs_total{outcome="scheduled"}"#;
/// The places that are passed only with jobs; the others die over the direct transport.
const WITH_JOBS: [&str; 4] = [
    "notification.before_schedule",
    "notification.after_schedule",
    "notification.before_wake",
    "notification.after_wake",
];

async fn plan(behind: &Behind, seconds: i64) {
    let tasks: Vec<_> = (1..=COUNT)
        .map(|id| Task::in_seconds("ada", id, seconds).is_saved())
        .collect();
    behind.world.publish(&tasks).await;
}

/// Each is seen, in one row, by one event and one delivery.
async fn all_are_seen_once(behind: &Behind) {
    let delivered = "select count(*) from notification.reminder where state = 'delivered'";
    behind.world.counts(delivered, COUNT).await;
    behind.world.assert_settled().await;
    for once in [
        "select count(*) from notification.reminder",
        "select count(distinct event_id) from notification.reminder",
        "select count(*) from notification.delivery",
    ] {
        assert_eq!(behind.world.count(once).await, COUNT, "{once}");
    }
}

async fn planned(behind: &Behind, replica: &Replica, seconds: i64) {
    plan(behind, seconds).await;
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    replica.reaches(SCHEDULED, COUNT as f64).await;
}

#[tokio::test]
async fn dapr_with_a_service_that_dies_around_its_jobs() {
    for place in WITH_JOBS {
        let behind = Behind::start().await;
        let mut dying = behind.replica_with(&[(event_bus::crash::VARIABLE, place)]).await;
        plan(&behind, 5).await;
        let status = dying.process.exit(PATIENCE).await;
        assert_eq!(status.signal(), Some(9), "{place}: {:#?}", dying.process.lines());
        let next = behind.replica().await;
        all_are_seen_once(&behind).await;
        next.stop().await;
    }
}

/// The sweeper does not wait for the Scheduler; one that is back finds that nothing is left to wake for.
#[tokio::test]
async fn dapr_with_a_scheduler_that_dies_and_comes_back() {
    let mut behind = Behind::start().await;
    let replica = behind.replica().await;
    planned(&behind, &replica, 5).await;
    behind.scheduler.kill();
    all_are_seen_once(&behind).await;
    let swept = "select count(*) from notification.reminder where claimed_by = 'sweeper'";
    assert_eq!(behind.world.count(swept).await, COUNT);
    behind.scheduler.start_again().await;
    replica.reaches(r#"reminder_jobs_total{outcome="stale"}"#, 1.0).await;
    all_are_seen_once(&behind).await;
    replica.stop().await;
}

#[tokio::test]
async fn dapr_with_a_sidecar_that_dies_and_comes_back() {
    let mut behind = Behind::start().await;
    let replica = behind.replica().await;
    planned(&behind, &replica, 5).await;
    behind.sidecar.kill();
    // Claimed without it; the event of the claim waits in the outbox.
    let claimed = "select count(*) from notification.reminder where claimed_by = 'sweeper'";
    behind.world.counts(claimed, COUNT).await;
    behind.sidecar.start_again();
    all_are_seen_once(&behind).await;
    replica.stop().await;
}

/// Kafka dies when reminders are claimed, PostgreSQL when they are planned; nobody is started again but they.
#[tokio::test]
async fn kill_kafka_and_then_postgres_while_dapr_has_jobs_that_fire() {
    let engines = EnginePair::start().await;
    let behind = Behind::around(World::on(&engines).await).await;
    let replica = behind.replica().await;
    planned(&behind, &replica, 5).await;
    engines.kafka.kill().await;
    let claimed = "select count(*) from notification.reminder where event_id is not null";
    behind.world.counts(claimed, COUNT).await;
    engines.kafka.start().await;
    all_are_seen_once(&behind).await;

    let mut later = Task::in_seconds("ada", COUNT + 1, 5);
    behind.world.publish(&[later.is_saved()]).await;
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    replica.reaches(SCHEDULED, (COUNT + 1) as f64).await;
    engines.postgres.kill().await;
    // Its time passes meanwhile.
    let due = later.reminders[0];
    wait_until("its time has come", PATIENCE, async || {
        let now = jiff::Timestamp::now();
        if now > due { Ok(()) } else { Err(now) }
    })
    .await;
    engines.postgres.start().await;
    behind.world.states(COUNT + 1, &["delivered"]).await;
    behind.world.assert_settled().await;
    replica.stop().await;
}

#[test]
fn every_crash_point_of_the_service_has_its_test() {
    let tested = crashes::PLACES.iter().chain(&WITH_JOBS);
    let tested: BTreeSet<String> = tested.map(|place| (*place).to_owned()).collect();
    let in_the_code = crash_points::in_the_code().into_iter();
    let own: BTreeSet<String> = in_the_code.filter(|name| name.starts_with("notification.")).collect();
    assert_eq!(tested, own);
}
