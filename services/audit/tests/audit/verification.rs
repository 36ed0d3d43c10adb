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

/// Rows and anchors of a batch are those of one moment, also when a day is dropped between reading the one and the other.
#[tokio::test]
async fn no_day_goes_while_a_batch_is_read() {
    let world = World::new().await;
    let replica = world.start().await;
    let old = days_ago(3);
    world.publish(&[task_event_of("ada", 7, 1, old)]).await;
    world.rows(1).await;
    replica.stop().await;
    // What is arranged here looks like a deadlock for a moment.
    let patient = "do $$ begin
        execute format('alter database %I set deadlock_timeout = %L', current_database(), '1min');
    end $$";
    run(&world, patient).await;
    let mut other = PgConnection::connect(&world.database.url()).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    // The batch has seen the heads when it asks for the anchors.
    sqlx::raw_sql("lock table audit.anchor in access exclusive mode; set local lock_timeout = '100ms'")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let dropping = async {
        wait_until("verification waits for the anchors", PATIENCE, async || {
            let waiting = "select count(*) from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and query like '%audit.anchor%'";
            match sqlx::query_scalar(waiting).fetch_one(&world.pool).await.unwrap() {
                1_i64 => Ok(()),
                waiting => Err(waiting),
            }
        })
        .await;
        let drop_day = sqlx::query("select audit.drop_day($1::text::date)").bind(audit::Day::of(old).to_string());
        let dropped = drop_day.execute(&mut *transaction).await.is_ok();
        if dropped {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
        dropped
    };
    let (dropped, (code, lines)) = tokio::join!(dropping, world.verify());
    assert_eq!(code, 0, "{lines:#?}");
    assert!(!dropped, "the day stays until the batch is read");
}

/// Runs statements as somebody who can switch the triggers off.
async fn run(world: &World, statements: &str) {
    let statements = AssertSqlSafe(format!("set session_replication_role = replica; {statements}"));
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
}

/// 300 tasks with two events each, verified in the background; then two rows are removed, in two batches.
async fn broken() -> World {
    let world = World::new().await;
    let replica = world.start().await;
    let tasks: Vec<_> = (1..=300)
        .flat_map(|task| [1, 2].map(|version| task_event("ada", task, version)))
        .collect();
    world.publish(&tasks).await;
    world.rows(600).await;
    replica.reaches(VERIFIED, 1.0).await;
    assert_eq!(replica.value_of(FAILURES).await, 0.0);
    replica.stop().await;
    run(
        &world,
        "delete from audit.event where task_id in (100, 250) and position = 1",
    )
    .await;
    world
}

#[tokio::test]
async fn the_record_is_verified_in_the_background_by_one_replica() {
    let world = broken().await;
    run(
        &world,
        "update audit.verification set verified_at = now() - interval '1 day'",
    )
    .await;
    let (first, second) = tokio::join!(world.start_with(&[]), world.start_with(&[]));
    wait_until("the pass is over", PATIENCE, async || {
        let over = "select verified_at > now() - interval '1 hour' from audit.verification";
        let over: bool = sqlx::query_scalar(over).fetch_one(&world.pool).await.unwrap();
        if over { Ok(()) } else { Err("it is not") }
    })
    .await;
    for replica in [&first, &second] {
        // Both have looked.
        replica.reaches(VERIFIED, 1.0).await;
    }
    assert_eq!(first.value_of(FAILURES).await + second.value_of(FAILURES).await, 2.0);
    let lines = [first.process.lines(), second.process.lines()].concat();
    for task in [100, 250] {
        let flaw = format!("task {task}, position 1: the row is missing");
        assert_eq!(lines.iter().filter(|line| line.contains(&flaw)).count(), 1, "{flaw}");
    }
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn what_was_verified_lately_is_not_verified_again() {
    let world = broken().await;
    let replica = world.start().await;
    replica.reaches(VERIFIED, 1.0).await;
    assert_eq!(replica.value_of(FAILURES).await, 0.0);
    replica.stop().await;
}

#[tokio::test]
async fn a_pass_that_another_replica_holds_is_left_to_it() {
    let world = broken().await;
    let held = "update audit.verification set verified_at = now() - interval '1 day', begun_at = now(),
        after_task = 200, holder = gen_random_uuid(), held_until = now() + interval '1 hour'";
    run(&world, held).await;
    let replica = world.start().await;
    replica.reaches(VERIFIED, 1.0).await;
    assert_eq!(replica.value_of(FAILURES).await, 0.0);
    replica.stop().await;
}

#[tokio::test]
async fn a_pass_whose_replica_died_is_continued() {
    let world = broken().await;
    let abandoned = "update audit.verification set begun_at = now() - interval '1 minute', after_task = 200,
        holder = gen_random_uuid(), held_until = now() - interval '1 second'";
    run(&world, abandoned).await;
    let replica = world.start().await;
    replica.reaches(VERIFIED, 1.0).await;
    assert_eq!(replica.value_of(FAILURES).await, 1.0, "behind task 200 is one");
    let now = Timestamp::now().as_duration().as_secs_f64();
    assert!(
        replica.value_of(VERIFIED).await < now - 50.0,
        "as of the beginning of the pass"
    );
    replica.stop().await;
}

#[tokio::test]
async fn verification_that_cannot_read_says_so() {
    let world = World::new().await;
    let mut nowhere = world.run("verify", &[(TASKFLOW_DATABASE_URL.name, "postgres://u@127.0.0.1:1/x")]);
    assert_eq!(nowhere.exit(PATIENCE).await.code(), Some(1));
    let mut unset = world.run("verify", &[(TASKFLOW_DATABASE_URL.name, "")]);
    assert_eq!(unset.exit(Duration::from_secs(20)).await.code(), Some(2));
}
