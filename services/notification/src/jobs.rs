//! Jobs at the Dapr Scheduler: they wake, and decide nothing.
//!
//! A job is scheduled for the instant of each generation, after the commit, and never waited for: what could not be
//! scheduled is found by the sweeper. When one fires it names a reminder and a generation; that is claimed as the sweeper
//! would, or is stale and nothing happens. The answer is 2xx as soon as that is known, for every name: Dapr takes 404 for
//! a success and would forget a job whose route is missing.
//!
//! The sweeper leaves what a job may wake for a [`HEAD_START`] to the job: whoever sees it sweep then knows that jobs do
//! not fire.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use catalogue::{jobs::REMINDER, metrics::AUTH_FAILURES_TOTAL, spans};
use event_bus::{SidecarSettings, crash_point, dapr::TOKEN_HEADER};
use futures::future::join_all;
use jiff::Timestamp;
use metrics::{IntCounter, Metrics};
use reqwest::Client;
use serde_json::json;
use service_kit::{auth::is_same_secret, telemetry::chain};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info_span};
use uuid::Uuid;

use crate::{claim::Claims, store::reminders, telling::Telling};

/// Calls to the Scheduler at once. Changes of one task take turns, so that no deletion overtakes what it deletes.
const LANES: usize = 8;
/// Changes of each lane that may wait to be told.
const WAITING: usize = 2048;
/// Time after its instant in which a reminder is left to its job.
pub(crate) const HEAD_START: Duration = Duration::from_secs(2);
/// Time for one call: a Scheduler that is away would hold it for 30 s.
const CALL_TIME: Duration = Duration::from_secs(2);

/// Callbacks that claim at once. The sidecar makes very many calls when very many jobs fire, and the events that it
/// delivers come by the same door: whoever finds no place goes away at once, and the sweeper claims in batches.
const AT_ONCE: usize = 8;
/// Connections of the sidecar: one for each job that fires at the same moment, and some for events.
pub(crate) const CONNECTIONS: usize = 4096;

/// A job that is to be there, or no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobChange {
    task_id: i64,
    name: String,
    /// When it fires; `None` when it is to be deleted.
    at: Option<Timestamp>,
}

impl JobChange {
    pub(crate) fn new(task_id: i64, id: Uuid, generation: i32, at: Option<Timestamp>) -> Self {
        let name = REMINDER
            .name_template
            .replace("{task_id}", &task_id.to_string())
            .replace("{reminder_id}", &id.to_string())
            .replace("{generation}", &generation.to_string());
        Self { task_id, name, at }
    }
}

/// The reminder and generation that a job's name tells; `None` for a name of nobody of ours.
fn told_by(name: &str) -> Option<(i64, Uuid, i32)> {
    let (task, rest) = name.strip_prefix(REMINDER.prefix)?.split_once('-')?;
    let (id, generation) = rest.rsplit_once('-')?;
    Some((task.parse().ok()?, id.parse().ok()?, generation.parse().ok()?))
}

/// Where changes wait to be told to the Scheduler. Clones lead to the same lanes.
#[derive(Clone, Debug)]
pub(crate) struct Lanes(Vec<mpsc::Sender<JobChange>>);

impl Lanes {
    /// The lanes, and their far ends for [`Scheduler::follow`].
    pub(crate) fn new() -> (Self, Vec<mpsc::Receiver<JobChange>>) {
        let (senders, receivers) = (0..LANES).map(|_| mpsc::channel(WAITING)).unzip();
        (Self(senders), receivers)
    }

    /// False when too many wait already.
    pub(crate) fn take(&self, change: JobChange) -> bool {
        let lane = change.task_id.unsigned_abs() % self.0.len() as u64;
        let lane = usize::try_from(lane).ok().and_then(|lane| self.0.get(lane));
        lane.is_some_and(|lane| lane.try_send(change).is_ok())
    }
}

/// Schedules and deletes jobs, through the own sidecar.
#[derive(Clone, Debug)]
pub(crate) struct Scheduler {
    client: Client,
    endpoint: String,
    api_token: String,
}

impl Scheduler {
    pub(crate) fn new(settings: &SidecarSettings) -> reqwest::Result<Self> {
        Ok(Self {
            client: Client::builder().timeout(CALL_TIME).no_proxy().build()?,
            endpoint: settings.endpoint.clone(),
            api_token: settings.api_token.0.clone(),
        })
    }

    /// Tells the Scheduler of changes until it is told to stop.
    pub(crate) async fn follow(self, lanes: Vec<mpsc::Receiver<JobChange>>, telling: Telling, stop: CancellationToken) {
        let lanes = lanes.into_iter().map(|lane| self.follow_one(lane, &telling, &stop));
        join_all(lanes).await;
        // A task ends only when it is told to.
        stop.cancelled().await;
    }

    async fn follow_one(&self, mut lane: mpsc::Receiver<JobChange>, telling: &Telling, stop: &CancellationToken) {
        while let Some(Some(change)) = stop.run_until_cancelled(lane.recv()).await {
            crash_point!("notification.before_schedule");
            let told = self.tell(&change).await;
            crash_point!("notification.after_schedule");
            match told {
                Ok(()) if change.at.is_some() => telling.job("scheduled"),
                Ok(()) => telling.job("deleted"),
                Err(error) => {
                    let error = chain(&error.without_url());
                    tracing::debug!(error, "the Scheduler was not told of a job: {error}");
                    telling.job("schedule_failed");
                }
            }
        }
    }

    async fn tell(&self, change: &JobChange) -> reqwest::Result<()> {
        let url = format!("{}/v1.0/jobs/{}", self.endpoint, change.name);
        let call = match change.at {
            // A policy of its own: the default gives up after three seconds.
            Some(at) => self.client.post(url).json(&json!({
                "dueTime": at.to_string(),
                "overwrite": true,
                "data": {"job": change.name},
                "failurePolicy": {"constant": {"interval": "5s", "maxRetries": 60}},
            })),
            None => self.client.delete(url),
        };
        let answer = call.header(TOKEN_HEADER, &self.api_token).send().await?;
        answer.error_for_status().map(|_| ())
    }
}

/// What callbacks need.
#[derive(Clone, Debug)]
struct Callbacks {
    claims: Claims,
    app_token: String,
    forged: IntCounter,
    places: Arc<Semaphore>,
}

/// The route that the sidecar posts to, for every name of a job.
pub(crate) fn routes(claims: Claims, sidecar: &SidecarSettings, metrics: &Metrics) -> Router {
    let callbacks = Callbacks {
        claims,
        app_token: sidecar.app_token.0.clone(),
        forged: metrics.counter(&AUTH_FAILURES_TOTAL, &["app_token"]),
        places: Arc::new(Semaphore::new(AT_ONCE)),
    };
    Router::new().route(REMINDER.route, post(fire)).with_state(callbacks)
}

async fn fire(State(callbacks): State<Callbacks>, Path(name): Path<String>, headers: HeaderMap) -> StatusCode {
    let shown = headers.get(TOKEN_HEADER).and_then(|it| it.to_str().ok());
    if !shown.is_some_and(|shown| is_same_secret(shown, &callbacks.app_token)) {
        callbacks.forged.inc();
        return StatusCode::UNAUTHORIZED;
    }
    let claims = &callbacks.claims;
    let Some((task_id, id, generation)) = told_by(&name) else {
        claims.telling.job("unknown");
        return StatusCode::OK;
    };
    let Ok(_place) = callbacks.places.try_acquire() else {
        // Its policy tries again, and finds that the sweeper was there.
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let span = info_span!(
        spans::REMINDER_WAKE.name,
        { spans::TASK_ID.key } = task_id,
        { spans::REMINDER_ID.key } = %id,
        { spans::REMINDER_GENERATION.key } = generation,
    );
    crash_point!("notification.before_wake");
    let woken = wake(claims, id, generation).instrument(span).await;
    crash_point!("notification.after_wake");
    match woken {
        Ok(outcome) => {
            claims.telling.job(outcome);
            StatusCode::OK
        }
        Err(error) => {
            let error = chain(&*error);
            tracing::warn!(error, "a job fired for nothing: {error}");
            // Its policy tries again, and the sweeper looks by itself.
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

async fn wake(
    claims: &Claims,
    id: Uuid,
    generation: i32,
) -> Result<&'static str, Box<dyn std::error::Error + Send + Sync>> {
    if claims.claim_one(id, generation).await? {
        return Ok("fired");
    }
    let mut connection = claims.database.acquire().await?;
    let known = reminders::is_known(&mut connection, id, generation).await?;
    Ok(if known { "stale" } else { "unknown" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_reminder_that_it_was_made_of() {
        let id = Uuid::from_u128(0x0197_c1a0_0000_7000_8000_0000_0000_0001);
        let change = JobChange::new(7, id, 3, None);
        assert_eq!(change.name, "reminder-task-7-0197c1a0-0000-7000-8000-000000000001-3");
        assert_eq!(told_by(&change.name), Some((7, id, 3)));
        for name in [
            "",
            "reminder-task-",
            "reminder-task-7",
            "reminder-task-7-x-1",
            "other-7-1",
        ] {
            assert_eq!(told_by(name), None, "{name}");
        }
    }
}
