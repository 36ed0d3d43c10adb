//! How many are let in, and how fast.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use axum::http::{HeaderMap, header};
use catalogue::metrics::HTTP_REQUESTS_SHED_TOTAL;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use metrics::{IntCounter, Metrics};
use service_kit::problem::{Problem, codes};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Clients let in per second. What is behind it is a check of a signature each.
const EACH_SECOND: NonZeroU32 = NonZeroU32::new(1000).expect("it is not zero");
/// Clients that have not said who they are; so many silent ones keep nobody out for longer than they may be silent.
const UNKNOWN: usize = 1024;
/// When to come back after a refusal.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How many are let in, and how fast. Clones share what they count.
#[derive(Clone, Debug)]
pub(crate) struct Door(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    places: Arc<Semaphore>,
    unknown: Arc<Semaphore>,
    rate: DefaultDirectRateLimiter,
    /// Pages of other origins are refused.
    pages: Option<String>,
    too_fast: IntCounter,
    too_many: IntCounter,
    stop: CancellationToken,
}

impl Door {
    /// For so many clients, and pages of this origin where it is known.
    pub(crate) fn new(clients: usize, pages: Option<String>, metrics: &Metrics, stop: CancellationToken) -> Self {
        let shed = |reason| metrics.counter(&HTTP_REQUESTS_SHED_TOTAL, &[reason]);
        Self(Arc::new(Counted {
            places: Arc::new(Semaphore::new(clients)),
            unknown: Arc::new(Semaphore::new(UNKNOWN)),
            rate: RateLimiter::direct(Quota::per_second(EACH_SECOND)),
            pages,
            too_fast: shed("rate"),
            too_many: shed("concurrency"),
            stop,
        }))
    }

    /// A place for one more client, if its page may connect; it is free again when this is dropped.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<OwnedSemaphorePermit, Problem> {
        if self.0.stop.is_cancelled() {
            return Err(Problem::new(&codes::UNAVAILABLE)
                .detail("This replica stops; another one takes over.")
                .retry_after(RETRY_AFTER));
        }
        if let (Some(page), Some(ours)) = (headers.get(header::ORIGIN), &self.0.pages)
            && page != ours.as_str()
        {
            return Err(Problem::new(&codes::ORIGIN_REFUSED));
        }
        if self.0.rate.check().is_err() {
            self.0.too_fast.inc();
            return Err(Problem::new(&codes::OVERLOADED).retry_after(RETRY_AFTER));
        }
        self.take(&self.0.places)
    }

    /// A place among those who have not said who they are.
    pub(crate) fn admit_unknown(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.take(&self.0.unknown)
    }

    fn take(&self, places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(places).try_acquire_owned().map_err(|_| {
            self.0.too_many.inc();
            Problem::new(&codes::OVERLOADED).retry_after(RETRY_AFTER)
        })
    }
}
