use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use catalogue::metrics::HTTP_REQUESTS_SHED_TOTAL;
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};
use metrics::{IntCounter, Metrics};

use crate::problem::{Problem, codes};

/// Requests between two sweeps.
const SWEEP_EVERY: u32 = 4096;

/// How many requests a user may send per second; as many may come at once. Clones share what they count.
#[derive(Clone, Debug)]
pub struct UserRate(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    buckets: Buckets<DefaultClock>,
    refused: IntCounter,
}

impl UserRate {
    /// Lets this many requests of each user through per second, at least one.
    pub fn new(per_second: u32, metrics: &Metrics) -> Self {
        Self(Arc::new(Counted {
            buckets: Buckets::new(per_second, DefaultClock::default()),
            refused: metrics.counter(&HTTP_REQUESTS_SHED_TOTAL, &["rate"]),
        }))
    }

    /// Counts one request of the user, or refuses it with 429.
    pub fn take(&self, user: &str) -> Result<(), Problem> {
        self.0.buckets.take(user).map_err(|wait| {
            self.0.refused.inc();
            Problem::new(&codes::RATE_LIMITED).retry_after(wait)
        })
    }
}

/// One bucket for each user of the last second.
#[derive(Debug)]
struct Buckets<C: Clock> {
    limiter: RateLimiter<String, DashMapStateStore<String>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    taken: AtomicU32,
}

impl<C: Clock + Clone> Buckets<C> {
    fn new(per_second: u32, clock: C) -> Self {
        let quota = Quota::per_second(NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN));
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, clock.clone()),
            clock,
            taken: AtomicU32::new(0),
        }
    }

    /// Takes one from the user's bucket, or says how long to wait.
    fn take(&self, user: &str) -> Result<(), Duration> {
        // A full bucket is as good as none. Sweeping by requests, not by time, bounds the memory: between two sweeps
        // there cannot be more new buckets than requests.
        if self.taken.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
        }
        let taken = self.limiter.check_key(&user.to_owned());
        taken.map_err(|refusal| refusal.wait_time_from(self.clock.now()))
    }
}

#[cfg(test)]
mod tests;
