//! Whether the process lives, takes traffic, may consume.
//!
//! Probes never reach for a dependency: whoever uses one reports to its [`Check`], and the routes tell what was last
//! reported. So a flood of probes costs nothing, and a probe answers at once while a dependency hangs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use catalogue::{
    metrics::DEPENDENCY_UP,
    paths::{HEALTH, READY, READY_EVENTS},
};
use metrics::Metrics;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// What a service needs a dependency for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeededFor {
    /// Answering requests; events can be consumed without it.
    Requests,
    /// Consuming events; requests can be answered without it.
    Events,
    /// Both.
    Everything,
}

/// The health of a service. Clones are handles to the same.
#[derive(Clone, Debug)]
pub struct Health {
    checks: Arc<Mutex<BTreeMap<&'static str, Reported>>>,
    metrics: Metrics,
    stop: CancellationToken,
}

/// What was last reported of a check.
#[derive(Clone, Copy, Debug)]
struct Reported {
    needed_for: NeededFor,
    /// Why it fails; `None` when it holds.
    reason: Option<&'static str>,
}

/// Whoever watches something that the service needs reports here. Clones report to the same check.
#[derive(Clone, Debug)]
pub struct Check {
    name: &'static str,
    health: Health,
}

impl Health {
    /// The health of a service that needs nothing yet, and is draining once the token is cancelled.
    #[must_use]
    pub fn new(metrics: &Metrics, stop: CancellationToken) -> Self {
        // A dependency that the service does not need counts as up.
        for dependency in DEPENDENCY_UP.labels[0].values.closed().unwrap_or_default() {
            metrics.gauge(&DEPENDENCY_UP, &[dependency]).set(1.0);
        }
        Self {
            checks: Arc::default(),
            metrics: metrics.clone(),
            stop,
        }
    }

    /// Adds something that the service needs; it fails until the first report. Where `name` is a dependency of the
    /// metric `dependency_up`, that follows the reports.
    #[must_use]
    pub fn check(&self, name: &'static str, needed_for: NeededFor) -> Check {
        let reported = Reported {
            needed_for,
            reason: Some("not checked yet"),
        };
        self.checks().insert(name, reported);
        let check = Check {
            name,
            health: self.clone(),
        };
        check.count(false);
        check
    }

    /// Whether the service takes traffic: every check that requests need holds, and it is not draining.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.stop.is_cancelled() && self.holds(Reported::for_requests)
    }

    /// Whether the service may consume: every check that events need holds. Still true while draining, so that a
    /// delivery under way is not counted as a failure.
    #[must_use]
    pub fn may_consume(&self) -> bool {
        self.holds(Reported::for_events)
    }

    /// The routes for people and kubelet: `/health` and `/ready`.
    pub fn public_routes(&self) -> Router {
        Router::new()
            .route(HEALTH, get(async || Json(Alive { status: "alive" })))
            .route(READY, get(ready))
            .with_state(self.clone())
    }

    /// The route for the own sidecar: `/ready/events`.
    pub fn internal_routes(&self) -> Router {
        Router::new()
            .route(READY_EVENTS, get(ready_for_events))
            .with_state(self.clone())
    }

    fn holds(&self, is_needed: fn(&Reported) -> bool) -> bool {
        self.checks()
            .values()
            .filter(|it| is_needed(it))
            .all(|it| it.reason.is_none())
    }

    fn report(&self, ready: bool, is_needed: fn(&Reported) -> bool) -> Response {
        let checks = self.checks();
        let needed = checks.iter().filter(|(_, reported)| is_needed(reported));
        let body = Report {
            ready,
            draining: self.stop.is_cancelled(),
            checks: needed
                .map(|(name, reported)| (*name, reported.reason.unwrap_or("ok")))
                .collect(),
        };
        if ready {
            Json(body).into_response()
        } else {
            let retry = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
            (StatusCode::SERVICE_UNAVAILABLE, retry, Json(body)).into_response()
        }
    }

    fn checks(&self) -> MutexGuard<'_, BTreeMap<&'static str, Reported>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reported {
    fn for_requests(&self) -> bool {
        self.needed_for != NeededFor::Events
    }

    fn for_events(&self) -> bool {
        self.needed_for != NeededFor::Requests
    }
}

impl Check {
    /// Reports that it holds.
    pub fn holds(&self) {
        if self.replace(None).is_some() {
            tracing::info!(check = self.name, "{} is up", self.name);
        }
        self.count(true);
    }

    /// Reports that it fails. The reason is shown to whoever may probe: it names no address and no secret.
    pub fn fails(&self, reason: &'static str) {
        if self.replace(Some(reason)) != Some(reason) {
            tracing::warn!(check = self.name, reason, "{} is down: {reason}", self.name);
        }
        self.count(false);
    }

    fn replace(&self, reason: Option<&'static str>) -> Option<&'static str> {
        let mut checks = self.health.checks();
        let reported = checks.get_mut(self.name).expect("a check is there from its making on");
        std::mem::replace(&mut reported.reason, reason)
    }

    fn count(&self, up: bool) {
        let metrics = &self.health.metrics;
        if metrics.allows(&DEPENDENCY_UP, "dependency", self.name) {
            metrics
                .gauge(&DEPENDENCY_UP, &[self.name])
                .set(if up { 1.0 } else { 0.0 });
        }
    }
}

#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

#[derive(Serialize)]
struct Report {
    ready: bool,
    draining: bool,
    /// Each check that is needed, with `ok` or what is wrong.
    checks: BTreeMap<&'static str, &'static str>,
}

async fn ready(State(health): State<Health>) -> Response {
    health.report(health.is_ready(), Reported::for_requests)
}

async fn ready_for_events(State(health): State<Health>) -> Response {
    health.report(health.may_consume(), Reported::for_events)
}

#[cfg(test)]
mod tests;
