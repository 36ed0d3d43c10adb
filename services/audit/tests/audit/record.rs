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
        assert!(replica.value_of(&series).await <= rows);
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

/// Two topics have partitions of their own: their events of one task are appended to its chain at the same time.
#[tokio::test]
async fn a_chain_is_continued_by_one_at_a_time() {
    let world = World::new().await;
    let task_events: Vec<_> = (1..=300).map(|version| task_event("ada", 7, version)).collect();
    let reminders: Vec<_> = (1..=300).map(|version| reminder_event("ada", 7, version)).collect();
    world.publish(&task_events).await;
    world.publish(&reminders).await;
    let replica = world.start().await;
    world.rows(600).await;
    let chain = world.chain(7).await;
    for sent in [task_events, reminders] {
        let sent: Vec<_> = sent.iter().map(|event| event.event_id).collect();
        let kept: Vec<_> = chain.iter().filter(|id| sent.contains(id)).copied().collect();
        assert_eq!(kept, sent, "each topic in its order");
    }
    for topic in [topics::TASK_EVENTS, topics::REMINDERS] {
        let retries = format!(r#"events_handled_total{{outcome="retry",topic="{topic}"}}"#);
        assert_eq!(replica.value_of(&retries).await, 0.0);
    }
    replica.stop().await;
    world.assert_whole(600).await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn an_event_older_than_the_retention_is_acknowledged_and_counted() {
    let world = World::new().await;
    let replica = world.start().await;
    // Midnight may come before they do: the one stays too old, the other stays young enough.
    let (old, kept) = (days_ago(91), days_ago(89));
    world
        .publish(&[task_event_of("ada", 7, 1, old), task_event_of("ada", 7, 2, kept)])
        .await;
    world.rows(1).await;
    assert_eq!(replica.value_of("audit_expired_events_total").await, 1.0);
    // Its day was not prepared: it is made for its first event.
    let day: String = sqlx::query_scalar("select event_day::text from audit.event")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert!(kept.to_string().starts_with(&day), "{kept}: {day}");
    replica.stop().await;
    world.assert_no_dead_letters().await;
}
