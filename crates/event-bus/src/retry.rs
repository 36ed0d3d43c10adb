//! How often and how long a delivery is tried.

use std::time::Duration;

use catalogue::delivery;

/// How often and how long a delivery is tried before it becomes a dead letter.
///
/// Attempts wait in line: they block their own partition, which keeps the order of its keys, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts after the first one.
    pub retries: u32,
    /// Wait before the first retry; each further wait is twice the one before.
    pub first_wait: Duration,
    /// Longest wait.
    pub longest_wait: Duration,
    /// Time that one attempt may take.
    pub attempt_timeout: Duration,
}

impl Default for RetryPolicy {
    /// Retries after 1, 2 and 4 seconds. Dapr is configured by the same numbers, but has a first wait of its own.
    fn default() -> Self {
        Self {
            retries: delivery::RETRIES,
            first_wait: Duration::from_secs(1),
            longest_wait: delivery::LONGEST_WAIT,
            attempt_timeout: delivery::ATTEMPT_TIMEOUT,
        }
    }
}

impl RetryPolicy {
    /// The wait after this many failed attempts (from 1), or `None` when no further one is made. Shortened by chance
    /// by up to a quarter, so that what failed together does not come back together.
    pub(crate) fn wait_after(&self, attempts: u32) -> Option<Duration> {
        (attempts <= self.retries).then(|| {
            let doublings = attempts.saturating_sub(1).min(20);
            let wait = self.first_wait.saturating_mul(1 << doublings).min(self.longest_wait);
            wait.mul_f64(rand::random_range(0.75..=1.0))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_retries_wait_one_two_and_four_seconds() {
        let policy = RetryPolicy::default();
        for (attempts, seconds) in [(1, 1.0), (2, 2.0), (3, 4.0)] {
            let wait = policy.wait_after(attempts).unwrap().as_secs_f64();
            assert!((seconds * 0.75..=seconds).contains(&wait), "{attempts}: {wait}");
        }
        assert_eq!(policy.wait_after(4), None);
    }

    #[test]
    fn a_wait_never_exceeds_the_longest() {
        let policy = RetryPolicy {
            retries: u32::MAX,
            ..RetryPolicy::default()
        };
        assert!(policy.wait_after(u32::MAX).unwrap() <= policy.longest_wait);
    }
}
