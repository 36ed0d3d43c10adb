//! Every event is exactly one row, in the order of its task.

use catalogue::topics;

use crate::{
    events::{days_ago, reminder_event, task_event, task_event_of},
    world::World,
};

const DUPLICATES: &str = r#"inbox_duplicates_total{topic="task-events"}"#;

#[tokio::test]
async fn every_event_of_both_topics_is_one_row_in_the_order_of_its_task() {
    let world = World::new().await;
    let replica = world.start().await;
    let events: Vec<_> = (1..=10)
        .flat_map(|version| (1..=20).map(move |task| task_event("ada", task, version)))
        .collect();
    let reminders: Vec<_> = (1..=20).map(|task| reminder_event("ada", task, 10)).collect();
    world.publish(&events).await;
    world.rows(200).await;
    world.publish(&reminders).await;
    world.rows(220).await;
    for task in 1..=20 {
        let sent = events.iter().chain(&reminders).filter(|it| it.key == task.to_string());
        let sent: Vec<_> = sent.map(|it| it.event_id).collect();
        assert_eq!(world.chain(task).await, sent, "task {task}");
    }
    for (topic, rows) in [(topics::TASK_EVENTS, 200.0), (topics::REMINDERS, 20.0)] {
        let series = format!(r#"audit_rows_appended_total{{topic="{topic}"}}"#);
        replica.reaches(&series, rows).await;
        assert!(replica.metric(&series).await <= rows);
    }
    world.assert_whole(220).await;
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn an_event_that_comes_again_changes_nothing() {
    let world = World::new().await;
    let replica = world.start().await;
    let [first, second, third] = [1, 2, 3].map(|version| task_event("ada", 7, version));
    world
        .publish(&[
            first.clone(),
            second.clone(),
            first.clone(),
            second.clone(),
            first.clone(),
            third.clone(),
        ])
        .await;
    world.rows(3).await;
    replica.reaches(DUPLICATES, 3.0).await;
    assert_eq!(world.chain(7).await, [first, second, third].map(|event| event.event_id));
    world.assert_whole(3).await;
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn replicas_that_come_and_go_append_every_event_once() {
    let world = World::new().await;
    let versions = |from: i64, to: i64| -> Vec<_> {
        let tasks = |version| (1..=30).map(move |task| task_event("ada", task, version));
        (from..=to).flat_map(tasks).collect()
    };
    let mut events = Vec::new();
    let mut publish = async |from, to| {
        let more = versions(from, to);
        world.publish(&more).await;
        events.extend(more);
    };
    let first = world.start().await;
    publish(1, 10).await;
    let second = world.start().await;
    publish(11, 20).await;
    second
        .reaches(r#"consumer_assigned_partitions{topic="task-events"}"#, 1.0)
        .await;
    publish(21, 30).await;
    first.stop().await;
    publish(31, 40).await;
    world.rows(30 * 40).await;
    for task in 1..=30 {
        let sent = events.iter().filter(|it| it.key == task.to_string());
        let sent: Vec<_> = sent.map(|it| it.event_id).collect();
        assert_eq!(world.chain(task).await, sent, "task {task}");
    }
    second.stop().await;
    world.assert_whole(30 * 40).await;
    world.assert_no_dead_letters().await;
}

/// As when a replica is so slow that its partition has moved on: two append to one chain at once.
#[tokio::test]
async fn a_chain_is_continued_by_one_at_a_time() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish(&[task_event("ada", 7, 1)]).await;
    world.rows(1).await;
    let mut slow = world.pool.begin().await.unwrap();
    sqlx::query("select from audit.chain where task_id = 7 for update")
        .execute(&mut *slow)
        .await
        .unwrap();
    world.publish(&[task_event("ada", 7, 2)]).await;
    // It waits at the head.
    test_kit::wait_until("an append waits", crate::world::PATIENCE, async || {
        let waiting = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock' and query like '%audit.chain%'";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&world.pool).await.unwrap();
        if waiting == 1 { Ok(()) } else { Err(waiting) }
    })
    .await;
    assert_eq!(world.count().await, 1);
    slow.commit().await.unwrap();
    world.rows(2).await;
    replica.stop().await;
    world.assert_whole(2).await;
}

#[tokio::test]
async fn an_event_older_than_the_retention_is_acknowledged_and_counted() {
    let world = World::new().await;
    let replica = world.start().await;
    let (old, kept) = (days_ago(91), days_ago(90));
    world
        .publish(&[task_event_of("ada", 7, 1, old), task_event_of("ada", 7, 2, kept)])
        .await;
    world.rows(1).await;
    assert_eq!(replica.metric("audit_expired_events_total").await, 1.0);
    // Its day was not prepared: it is made for its first event.
    let day: String = sqlx::query_scalar("select event_day::text from audit.event")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert!(kept.to_string().starts_with(&day), "{kept}: {day}");
    replica.stop().await;
    world.assert_no_dead_letters().await;
}
