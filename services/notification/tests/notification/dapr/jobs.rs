//! Jobs from their scheduling to their callback.

use reqwest::Method;
use serde_json::json;

use super::Behind;
use crate::{events::Task, world::Replica};

const SCHEDULED: &str = r#"reminder_jobs_total{outcome="scheduled"}"#;
const DELETED: &str = r#"reminder_jobs_total{outcome="deleted"}"#;
const FIRED: &str = r#"reminder_jobs_total{outcome="fired"}"#;
const STALE: &str = r#"reminder_jobs_total{outcome="stale"}"#;
const BY_JOB: &str = "select count(*) from notification.reminder where claimed_by = 'job'";

/// Whether the Scheduler has the job of this generation of the task's only reminder.
async fn is_scheduled(behind: &Behind, task: i64, generation: i32) -> bool {
    let id: String = sqlx::query_scalar("select id::text from notification.reminder where task_id = $1 limit 1")
        .bind(task)
        .fetch_one(&behind.world.pool)
        .await
        .unwrap();
    let name = format!("reminder-task-{task}-{id}-{generation}");
    let url = format!("{}/v1.0/jobs/{name}", behind.sidecar.endpoint());
    let call = crate::world::client()
        .get(url)
        .header("dapr-api-token", test_kit::sidecar::API_TOKEN);
    call.send().await.unwrap().status().is_success()
}

async fn snooze(behind: &Behind, replica: &Replica, seconds: i64) {
    let ledger = behind.world.get(replica, "ada", "/reminders").await.json();
    let id = ledger["items"][0]["id"].as_str().unwrap().to_owned();
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    let body = json!({ "until": until.to_string() });
    let path = format!("/reminders/{id}/snooze");
    let answer = behind.world.send(replica, "ada", Method::POST, &path, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn dapr_fires_the_job_of_a_reminder_at_its_time_and_it_is_seen_once() {
    let behind = Behind::start().await;
    let replica = behind.replica().await;
    behind.world.publish(&[Task::in_seconds("ada", 7, 6).is_saved()]).await;
    behind.world.states(7, &["planned"]).await;
    replica.reaches(SCHEDULED, 1.0).await;
    assert!(is_scheduled(&behind, 7, 1).await);
    behind.world.states(7, &["delivered"]).await;
    assert_eq!(behind.world.count(BY_JOB).await, 1);
    replica.reaches(FIRED, 1.0).await;
    assert_eq!(replica.value_of("reminders_swept_total").await, 0.0);
    let reminder = behind.world.get(&replica, "ada", "/reminders").await.json()["items"][0].clone();
    assert_eq!(reminder["claimed_by"], "job");
    let lateness = reminder["lateness_seconds"].as_f64().unwrap();
    println!("seen {lateness} s after its time");
    assert!((0.0..30.0).contains(&lateness), "{lateness}");
    replica.stop().await;
    behind.world.assert_settled().await;
}

#[tokio::test]
async fn dapr_has_a_job_for_the_generation_that_is_wanted_and_for_no_other() {
    let behind = Behind::start().await;
    let replica = behind.replica().await;
    let mut task = Task::in_seconds("ada", 7, 3600);
    behind.world.publish(&[task.is_saved()]).await;
    replica.reaches(SCHEDULED, 1.0).await;

    snooze(&behind, &replica, 1800).await;
    replica.reaches(SCHEDULED, 2.0).await;
    replica.reaches(DELETED, 1.0).await;
    assert!(!is_scheduled(&behind, 7, 1).await && is_scheduled(&behind, 7, 2).await);

    // Another time is another reminder where it is given as an instant: its job takes the place of the old one.
    task.reminders = Task::in_seconds("ada", 7, 7200).reminders;
    behind.world.publish(&[task.is_saved()]).await;
    replica.reaches(SCHEDULED, 3.0).await;
    replica.reaches(DELETED, 2.0).await;
    assert!(!is_scheduled(&behind, 7, 2).await);

    behind.world.publish(&[task.is_completed()]).await;
    replica.reaches(DELETED, 3.0).await;
    behind.world.publish(&[task.is_saved()]).await; // reopened
    replica.reaches(SCHEDULED, 4.0).await;
    behind.world.publish(&[task.is_deleted()]).await;
    replica.reaches(DELETED, 4.0).await;
    let open = "select count(*) from notification.reminder where ended_at is null";
    assert_eq!(behind.world.count(open).await, 0);
    replica.stop().await;
    behind.world.assert_settled().await;
}

/// What was told to the Scheduler too late, or not at all, changes nothing: a job decides nothing.
#[tokio::test]
async fn dapr_fires_a_job_that_is_stale_and_nothing_is_sent() {
    let behind = Behind::start().await;
    let replica = behind.replica().await;
    behind.world.publish(&[Task::in_seconds("ada", 7, 5).is_saved()]).await;
    replica.reaches(SCHEDULED, 1.0).await;
    // As if its end had not been told.
    sqlx::query("update notification.reminder set state = 'superseded', cause = 'removed', ended_at = now()")
        .execute(&behind.world.pool)
        .await
        .unwrap();
    replica.reaches(STALE, 1.0).await;
    let published = "select count(*) from notification.reminder where event_id is not null";
    assert_eq!(behind.world.count(published).await, 0);
    replica.stop().await;
    behind.world.assert_settled().await;
}
