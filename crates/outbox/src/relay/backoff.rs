//! How long to wait before the next attempt.

use std::time::Duration;

/// Waits between attempts: doubled each time from `first` to `longest`, each shortened by chance to no less than half,
/// so that what failed together does not come back together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) longest: Duration,
}

impl Backoff {
    /// The wait after this many failures in a row, from 1.
    pub(super) fn after(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let wait = self.first.saturating_mul(1 << doublings).min(self.longest);
        wait.mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_bounded(failures: u32) {
            let (first, longest) = (Duration::from_millis(100), Duration::from_secs(10));
            let wait = Backoff { first, longest }.after(failures);
            prop_assert!(wait >= first / 2 && wait <= longest, "{wait:?}");
        }
    }

    #[test]
    fn waits_grow() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(10),
        };
        assert!(backoff.after(1) <= Duration::from_millis(100));
        assert!(backoff.after(4) >= Duration::from_millis(400));
        assert!(backoff.after(8) >= Duration::from_secs(5));
    }
}
