//! How much a replica takes on: bodies, time, requests at once, requests of one user.
//!
//! | limit | answer | counted as |
//! |---|---|---|
//! | body over [`MAX_BODY_BYTES`], or what a route says with `DefaultBodyLimit` | 413 | |
//! | no answer within [`REQUEST_TIME`] | 503, Retry-After | deadline |
//! | more requests at once than the settings allow | 503, Retry-After | concurrency |
//! | more requests of a user per second than the settings allow | 429, Retry-After | rate |
//!
//! Probes and metrics are outside: an overloaded replica is alive, and a probe that is refused would make it restart.

mod cors;
mod user_rate;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::Response,
};
use catalogue::metrics::HTTP_REQUESTS_SHED_TOTAL;
use metrics::{IntCounter, Metrics};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    config::LimitSettings,
    problem::{Problem, codes},
};

pub use cors::allow_origin;
pub use user_rate::UserRate;

/// Bytes of a body, where the route does not say otherwise.
pub const MAX_BODY_BYTES: usize = 1 << 20;
/// Time from a request's headers to its response's headers.
pub const REQUEST_TIME: Duration = Duration::from_secs(10);
/// When to come back after a refusal: load moves in seconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Puts the limits before all routes of a listener but probes and metrics.
pub fn protect<S>(router: Router<S>, settings: &LimitSettings, metrics: &Metrics) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let shed = |reason| metrics.counter(&HTTP_REQUESTS_SHED_TOTAL, &[reason]);
    let gate = Gate {
        places: Arc::new(Semaphore::new(settings.max_concurrent_requests)),
        full: shed("concurrency"),
        late: shed("deadline"),
        time: REQUEST_TIME,
    };
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(gate, pass))
}

/// What a request has to pass.
#[derive(Clone)]
struct Gate {
    /// One for each request that may be answered at once. Nobody waits for one: a queue would only make all late.
    places: Arc<Semaphore>,
    full: IntCounter,
    late: IntCounter,
    time: Duration,
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Result<Response, Problem> {
    let Ok(_place) = gate.places.try_acquire() else {
        gate.full.inc();
        return Err(Problem::new(&codes::OVERLOADED).retry_after(RETRY_AFTER));
    };
    timeout(gate.time, next.run(request)).await.map_err(|_| {
        gate.late.inc();
        Problem::new(&codes::DEADLINE_EXCEEDED).retry_after(RETRY_AFTER)
    })
}

#[cfg(test)]
mod tests;
