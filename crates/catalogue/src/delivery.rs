//! How long and how often events are tried, whichever transport carries them. A Dapr environment may say otherwise; the
//! direct transport always does as this says.

use std::time::Duration;

/// Attempts to handle a delivery after the first one, before it becomes a dead letter.
pub const RETRIES: u32 = 3;
/// Longest wait before one of them. Dapr's waits begin with 0.5 s, which it cannot be told.
pub const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// Time that one attempt to handle a delivery may take.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time within which a publish has succeeded or failed.
pub const PUBLISH_DEADLINE: Duration = Duration::from_secs(5);
