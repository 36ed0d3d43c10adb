//! Jobs at the Scheduler, as far as they can be seen without one: what the sidecar is asked for, and what its callbacks do.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    events::Task,
    receiver::Receiver,
    world::{Replica, World, client},
};

async fn callback(replica: &Replica, name: &str, token: Option<&str>) -> StatusCode {
    let call = client().post(format!("http://{}/job/{name}", replica.internal));
    let call = token
        .into_iter()
        .fold(call, |call, token| call.header("dapr-api-token", token));
    call.json(&json!({})).send().await.unwrap().status()
}

#[tokio::test]
async fn a_job_is_scheduled_for_each_generation_and_its_callback_claims_once() {
    let world = World::new().await;
    let planner = world.start().await;
    world.publish(&[Task::in_seconds("ada", 7, 3600).is_saved()]).await;
    world.states(7, &["planned"]).await;
    planner.stop().await;

    let sidecar = Receiver::start().await;
    let endpoint = sidecar.url().trim_end_matches("/hook").to_owned();
    let replica = world
        .start_with(&[
            ("TASKFLOW_BUS", "dapr"),
            ("TASKFLOW_DAPR_HTTP_ENDPOINT", &endpoint),
            ("DAPR_API_TOKEN", "shown"),
            ("APP_API_TOKEN", "expected"),
            ("TASKFLOW_SWEEP_SECONDS", "10"),
        ])
        .await;
    replica.becomes_ready().await;
    let id = world.get(&replica, "ada", "/reminders").await.json()["items"][0]["id"].clone();
    let id = id.as_str().unwrap();
    let later = json!({"minutes": 60});
    let path = format!("/reminders/{id}/snooze");
    assert_eq!(
        world.send(&replica, "ada", Method::POST, &path, &later).await.status,
        200
    );
    replica
        .reaches(r#"reminder_jobs_total{outcome="scheduled"}"#, 1.0)
        .await;
    replica.reaches(r#"reminder_jobs_total{outcome="deleted"}"#, 1.0).await;
    let name = |generation: i32| format!("reminder-task-7-{id}-{generation}");
    let of_jobs = |method: Method| {
        let calls = sidecar.calls().into_iter();
        calls.filter(move |call| call.path.starts_with("/v1.0/jobs/") && call.method == method)
    };
    let scheduled = of_jobs(Method::POST).next().unwrap();
    assert_eq!(scheduled.path, format!("/v1.0/jobs/{}", name(2)));
    assert_eq!(scheduled.header("dapr-api-token"), "shown");
    assert_eq!(scheduled.json()["overwrite"], true);
    assert_eq!(scheduled.json()["failurePolicy"]["constant"]["maxRetries"], 60);
    assert_eq!(
        of_jobs(Method::DELETE).next().unwrap().path,
        format!("/v1.0/jobs/{}", name(1))
    );

    // Forged, of nobody, stale, too early: nothing is sent, and all but the first are answered well.
    for token in [None, Some("shown"), Some("")] {
        assert_eq!(callback(&replica, &name(2), token).await, 401, "{token:?}");
    }
    assert_eq!(
        replica.value_of(r#"auth_failures_total{reason="app_token"}"#).await,
        3.0
    );
    let other = "reminder-task-7-0197c1a0-0000-7000-8000-000000000001-1";
    for name in ["reminder-task-nonsense", other, &name(1), &name(2)] {
        assert_eq!(callback(&replica, name, Some("expected")).await, 200, "{name}");
    }
    assert_eq!(replica.value_of(r#"reminder_jobs_total{outcome="unknown"}"#).await, 2.0);
    assert_eq!(replica.value_of(r#"reminder_jobs_total{outcome="stale"}"#).await, 2.0);
    world.states(7, &["superseded", "planned"]).await;

    // Its time has come: claimed once, however often it fires.
    sqlx::query("update notification.reminder set remind_at = now() where state = 'planned'")
        .execute(&world.pool)
        .await
        .unwrap();
    for _ in 0..3 {
        assert_eq!(callback(&replica, &name(2), Some("expected")).await, 200);
    }
    assert_eq!(replica.value_of(r#"reminder_jobs_total{outcome="fired"}"#).await, 1.0);
    world
        .counts("select count(*) from notification.reminder where claimed_by = 'job'", 1)
        .await;
    world.states(7, &["superseded", "due"]).await;
}
