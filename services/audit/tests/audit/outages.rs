//! What is away is waited for: nothing becomes a dead letter, and work goes on by itself.

use catalogue::environment_variables::TASKFLOW_DATABASE_URL;
use test_kit::{Database, Detour, wait_until};

use crate::{
    events::task_event,
    world::{PATIENCE, World, get},
};

/// More retries than a delivery has attempts.
const MANY: f64 = 9.0;
const RETRIES: &str = r#"events_handled_total{outcome="retry",topic="task-events"}"#;
const PAUSED: &str = "consumption_paused";

#[tokio::test]
async fn events_wait_while_the_database_is_away() {
    let world = World::new().await;
    let detour = Detour::to(&world.database.url()).await;
    detour.open();
    let replica = world.start_with(&[(TASKFLOW_DATABASE_URL.name, &detour.url())]).await;
    replica.becomes_ready().await;
    let versions = |from: i64, to: i64| -> Vec<_> {
        let tasks = |version| (1..=10).map(move |task| task_event("ada", task, version));
        (from..=to).flat_map(tasks).collect()
    };
    world.publish(&versions(1, 5)).await;
    world.rows(50).await;

    for (away, from) in [(Detour::cut as fn(&Detour), 6), (Detour::hang, 11)] {
        away(&detour);
        world.publish(&versions(from, from + 4)).await;
        replica.reaches(PAUSED, 1.0).await;
        let answer = world.get(&replica, "ada", "/tasks/1/audit").await;
        assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
        assert!(answer.headers.contains_key("retry-after"));
        wait_until("the service may not consume", PATIENCE, async || {
            match get(replica.internal, "/ready/events").await {
                answer if answer.status == 503 => Ok(()),
                answer => Err(answer.text),
            }
        })
        .await;
        detour.open();
        world.rows(10 * (from + 4)).await;
        replica.becomes_ready().await;
    }
    assert_eq!(replica.value_of(PAUSED).await, 0.0);
    replica.stop().await;
    world.assert_whole(150).await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn a_schema_that_is_not_migrated_yet_is_waited_for() {
    let world = World::around(Database::empty().await).await;
    let replica = world.start_with(&[]).await;
    world.publish(&[task_event("ada", 7, 1)]).await;
    replica.reaches(PAUSED, 1.0).await;
    let mut migration = world.run("migrate", &[]);
    assert!(migration.exit(PATIENCE).await.success(), "{:#?}", migration.lines());
    world.rows(1).await;
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

/// A day that cannot be made (rights, no room) is not the fault of its events: they wait.
#[tokio::test]
async fn events_wait_while_their_day_cannot_be_made() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish(&[task_event("ada", 7, 1)]).await;
    world.rows(1).await;
    let (version, obstacle) = (2, "alter function audit.prepare_day(date) rename to away");
    sqlx::query(obstacle).execute(&world.pool).await.unwrap();
    let old = crate::events::days_ago(30);
    world
        .publish(&[crate::events::task_event_of("ada", 7, version, old)])
        .await;
    replica.reaches(RETRIES, MANY).await;
    assert_eq!(world.count().await, 1);
    sqlx::query("alter function audit.away(date) rename to prepare_day")
        .execute(&world.pool)
        .await
        .unwrap();
    world.rows(2).await;
    replica.stop().await;
    world.assert_whole(2).await;
    world.assert_no_dead_letters().await;
}

/// As after the loss of a machine: the transaction of another replica is still open.
#[tokio::test]
async fn a_chain_that_somebody_else_holds_is_waited_for() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish(&[task_event("ada", 7, 1)]).await;
    world.rows(1).await;
    let mut open = world.pool.begin().await.unwrap();
    sqlx::query("select from audit.chain where task_id = 7 for update")
        .execute(&mut *open)
        .await
        .unwrap();
    world.publish(&[task_event("ada", 7, 2)]).await;
    replica.reaches(RETRIES, 5.0).await;
    assert_eq!(world.count().await, 1);
    open.rollback().await.unwrap();
    world.rows(2).await;
    replica.stop().await;
    world.assert_whole(2).await;
    world.assert_no_dead_letters().await;
}
