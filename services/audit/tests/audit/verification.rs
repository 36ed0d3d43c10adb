//! Verification, by command and in the background.

use std::time::Duration;

use catalogue::environment_variables::TASKFLOW_DATABASE_URL;
use jiff::Timestamp;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use test_kit::wait_until;

use crate::{
    events::{days_ago, task_event, task_event_of},
    world::{PATIENCE, World},
};

const VERIFIED: &str = "audit_chain_verified_timestamp_seconds";
const FAILURES: &str = "audit_chain_failures_total";

/// Waits until the chains of all 250 tasks have come so far.
async fn last_positions(world: &World, position: i64) {
    wait_until(&format!("every chain reaches {position}"), PATIENCE, async || {
        let there = sqlx::query_scalar("select count(*) from audit.chain where position = $1").bind(position);
        match there.fetch_one(&world.pool).await.unwrap() {
            250_i64 => Ok(()),
            there => Err(there),
        }
    })
    .await;
}

#[tokio::test]
async fn the_record_is_verified_while_events_are_appended_and_days_dropped() {
    let world = World::new().await;
    let replica = world.start().await;
    let database = world.service_database();
    let publish = async {
        for version in 1..=20 {
            // More tasks than a batch has; the first events of each lie in days that are dropped meanwhile.
            let made_at = days_ago(30 - version);
            let tasks: Vec<_> = (1..=250)
                .map(|task| task_event_of("ada", task, version, made_at))
                .collect();
            world.publish(&tasks).await;
            last_positions(&world, version).await;
            let today = audit::Day::of(Timestamp::now());
            let keep = u16::try_from(30 - version + 2).unwrap();
            // Verification may be reading: then it is dropped the next time.
            drop(audit::days::drop_old(&database, audit::Retention::days(keep), today).await);
        }
    };
    let verify = async {
        for _ in 0..20 {
            let (code, lines) = world.verify().await;
            assert_eq!(code, 0, "{lines:#?}");
        }
    };
    tokio::join!(publish, verify);
    assert!(world.count().await < 250 * 20, "days were dropped");
    let (code, lines) = world.verify().await;
    assert_eq!(code, 0, "{lines:#?}");
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn the_record_is_verified_in_the_background_by_one_replica_at_a_time() {
    let world = World::new().await;
    let first = world.start().await;
    first.reaches(VERIFIED, 1.0).await;
    // A record that was never broken, then one that is.
    let tasks: Vec<_> = (1..=300)
        .flat_map(|task| [1, 2].map(|version| task_event("ada", task, version)))
        .collect();
    world.publish(&tasks).await;
    world.rows(600).await;
    assert_eq!(first.metric(FAILURES).await, 0.0);
    let mut intruder = PgConnection::connect(&world.database.url()).await.unwrap();
    for statement in [
        "set session_replication_role = replica",
        "delete from audit.event where task_id = 250 and position = 1",
        "update audit.verification set verified_at = verified_at - interval '1 day'",
    ] {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut intruder)
            .await
            .unwrap();
    }
    let second = world.start().await;
    let failures = async || first.metric(FAILURES).await + second.metric(FAILURES).await;
    wait_until("the removed row is found", PATIENCE, async || match failures().await {
        0.0 => Err(0),
        _ => Ok(()),
    })
    .await;
    wait_until("the pass is over", PATIENCE, async || {
        let over = "select verified_at > now() - interval '1 hour' from audit.verification";
        let over: bool = sqlx::query_scalar(over).fetch_one(&world.pool).await.unwrap();
        if over { Ok(()) } else { Err("it is not") }
    })
    .await;
    assert_eq!(failures().await, 1.0, "one replica looked, once");
    let lines = [first.process.lines(), second.process.lines()].concat();
    let told = lines
        .iter()
        .filter(|line| line.contains("task 250, position 1: the row is missing"));
    assert_eq!(told.count(), 1);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn verification_that_cannot_read_says_so() {
    let world = World::new().await;
    let mut nowhere = world.run("verify", &[(TASKFLOW_DATABASE_URL.name, "postgres://u@127.0.0.1:1/x")]);
    assert_eq!(nowhere.exit(PATIENCE).await.code(), Some(1));
    let mut unset = world.run("verify", &[(TASKFLOW_DATABASE_URL.name, "")]);
    assert_eq!(unset.exit(Duration::from_secs(20)).await.code(), Some(2));
}
