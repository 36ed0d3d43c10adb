//! From the event of a task to a reminder that is seen, and everything that may come in between.

use catalogue::topics;
use jiff::{SignedDuration, Timestamp};

use crate::{events::Task, world::World};

#[tokio::test]
async fn a_reminder_is_seen_once_at_its_time() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut task = Task::in_seconds("ada", 7, 2);
    world.publish(&[task.is_saved()]).await;
    world.states(7, &["planned"]).await;
    world.states(7, &["delivered"]).await;
    let ledger = world.get(&replica, "ada", "/reminders").await.json();
    let reminder = &ledger["items"][0];
    assert_eq!(reminder["state"], "delivered");
    assert_eq!(reminder["claimed_by"], "sweeper");
    assert_eq!(reminder["late"], false);
    assert_eq!(reminder["deliveries"][0]["kind"], "in_app");
    let lateness = reminder["lateness_seconds"].as_f64().unwrap();
    assert!((0.0..30.0).contains(&lateness), "{lateness}");
    assert_eq!(replica.value_of("reminders_swept_total").await, 1.0);
    assert_eq!(replica.value_of("reminder_lateness_seconds_count").await, 1.0);
    for state in ["planned", "due", "attempted", "delivered"] {
        let series = format!(r#"reminder_transitions_total{{state="{state}"}}"#);
        assert_eq!(replica.value_of(&series).await, 1.0, "{state}");
    }
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn what_was_missed_while_nobody_was_there_is_seen_late_and_says_so() {
    let world = World::new().await;
    let long_ago = Timestamp::now() - SignedDuration::from_hours(3);
    let mut task = Task::in_seconds("ada", 7, -3600).changed(long_ago);
    world.publish(&[task.is_saved()]).await;
    let replica = world.start().await;
    world.states(7, &["delivered"]).await;
    let reminder = world.get(&replica, "ada", "/reminders").await.json()["items"][0].clone();
    assert_eq!(reminder["late"], true);
    assert!(reminder["lateness_seconds"].as_f64().unwrap() >= 3600.0, "{reminder}");
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn what_nobody_can_use_any_more_expires_and_the_ledger_says_why() {
    let world = World::new().await;
    let mut chosen_past = Task::in_seconds("ada", 7, -3600);
    let long_ago = Timestamp::now() - SignedDuration::from_hours(24 * 30);
    let mut too_late = Task::in_seconds("ada", 8, -24 * 3600 * 15).changed(long_ago);
    world.publish(&[chosen_past.is_saved(), too_late.is_saved()]).await;
    let replica = world.start().await;
    world.states(7, &["expired"]).await;
    world.states(8, &["expired"]).await;
    assert_eq!(world.reminders(7).await[0].2.as_deref(), Some("past"));
    assert_eq!(world.reminders(8).await[0].2.as_deref(), Some("too_late"));
    replica
        .reaches(r#"reminder_transitions_total{state="expired"}"#, 2.0)
        .await;
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn rescheduling_completing_reopening_and_deleting_begin_and_end_generations() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut task = Task::in_seconds("ada", 7, 3600);
    world.publish(&[task.is_saved(), task.is_completed()]).await;
    world.states(7, &["superseded"]).await;
    assert_eq!(world.reminders(7).await[0].2.as_deref(), Some("completed"));
    world.publish(&[task.is_saved()]).await; // reopened
    world.states(7, &["superseded", "planned"]).await;
    world.publish(&[task.is_deleted()]).await;
    world.states(7, &["superseded", "superseded"]).await;
    assert_eq!(world.reminders(7).await[1].2.as_deref(), Some("deleted"));
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn an_older_event_that_comes_late_changes_nothing() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut task = Task::in_seconds("ada", 7, 3600);
    let (first, second) = (task.is_saved(), task.is_completed());
    world
        .publish(&[first.clone(), second.clone(), first.clone(), second, first])
        .await;
    replica
        .reaches(r#"inbox_duplicates_total{topic="task-events"}"#, 3.0)
        .await;
    world.states(7, &["superseded"]).await;
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_task_cannot_change_hands() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut task = Task::in_seconds("ada", 7, 3600);
    world.publish(&[task.is_saved()]).await;
    world.states(7, &["planned"]).await;
    task.user = "eve".to_owned();
    world.publish(&[task.is_saved()]).await;
    test_kit::wait_until("a dead letter", crate::world::PATIENCE, async || {
        match world.dead_letters(topics::TASK_EVENTS).await {
            letters if letters.len() == 1 => Ok(()),
            letters => Err(format!("{letters:?}")),
        }
    })
    .await;
    world.states(7, &["planned"]).await;
    replica.stop().await;
}

#[tokio::test]
async fn two_replicas_claim_each_reminder_once() {
    let world = World::new().await;
    let replicas = [world.start().await, world.start().await];
    let tasks: Vec<_> = (1..=200).map(|id| Task::in_seconds("ada", id, 3).is_saved()).collect();
    world.publish(&tasks).await;
    world
        .counts(
            "select count(*) from notification.reminder where state = 'delivered'",
            200,
        )
        .await;
    let mut claimed = 0.0;
    for replica in &replicas {
        claimed += replica.value_of("reminders_swept_total").await;
    }
    assert_eq!(claimed, 200.0);
    let deliveries = "select count(*) from notification.delivery where state = 'delivered'";
    assert_eq!(world.count(deliveries).await, 200);
    for replica in replicas {
        replica.stop().await;
    }
    world.assert_settled().await;
}

/// A burst: everything is due in the same second.
#[tokio::test]
async fn two_thousand_reminders_of_one_second_are_all_seen_once() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut tasks: Vec<_> = (1..=2000).map(|id| Task::in_seconds("ada", id, 20)).collect();
    let at = tasks[0].reminders.clone();
    for task in &mut tasks {
        task.reminders.clone_from(&at);
    }
    let events: Vec<_> = tasks.iter_mut().map(Task::is_saved).collect();
    world.publish(&events).await;
    world
        .counts(
            "select count(*) from notification.reminder where state = 'delivered'",
            2000,
        )
        .await;
    let once = "select count(*) from notification.delivery where state = 'delivered' and attempts = 1";
    assert_eq!(world.count(once).await, 2000);
    let late = "select (1000 * percentile_cont(0.99) within group (order by extract(epoch from delivered_at - remind_at)))::bigint
        from notification.reminder";
    println!("p99 of lateness: {} ms", world.count(late).await);
    replica.stop().await;
    world.assert_settled().await;
}
