//! Dapr, where it differs from the defaults.

use super::units::Duration;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Dapr, where it differs from the defaults.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dapr {
    /// The Dapr version whose metadata keys are allowed. Default: the pinned one.
    #[schemars(length(min = 3, max = 20))]
    pub version: Option<String>,
    /// Where the Scheduler keeps jobs. Default: a volume each, in `free-tier` memory.
    pub scheduler_storage: Option<SchedulerStorage>,
    /// Metadata added to every Kafka component; each key must be one that the component has.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// Timeouts, retries and circuit breakers.
    #[serde(default)]
    pub resiliency: Resiliency,
}

/// Where Dapr's Scheduler keeps jobs.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum SchedulerStorage {
    /// A volume for each of its three replicas.
    Volumes,
    /// Memory: a pod that is replaced cannot join the others again until all three are deleted together, which loses the
    /// jobs; the sweeper still sends every reminder.
    Memory,
}

/// Timeouts, retries and circuit breakers by name, and where each is used.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resiliency {
    /// Timeouts by name. Default: `deliver` 5 s, `publish` 1 s.
    #[serde(default)]
    pub timeouts: BTreeMap<String, Duration>,
    /// Retries by name. Default: `deliver` exponential, 3 retries, at most 4 s apart; `publish` 3 retries, 250 ms apart.
    #[serde(default)]
    pub retries: BTreeMap<String, Retry>,
    /// Circuit breakers by name. Default: `broker` opens after 5 failures in a row, for 30 s.
    #[serde(default)]
    pub circuit_breakers: BTreeMap<String, CircuitBreaker>,
    /// How events are delivered to a service. Default: timeout and retry `deliver`, never a breaker.
    pub inbound: Option<Policies>,
    /// How a service publishes. Default: timeout and retry `publish`, breaker `broker`.
    pub outbound: Option<Policies>,
    /// How a service calls another. Default: as `outbound`.
    pub invocation: Option<Policies>,
    /// The time within which a publish must have succeeded or failed. Default: 5 s.
    pub publish_deadline: Option<Duration>,
}

/// Which policies apply, by name; `none` for none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policies {
    /// Name of a timeout.
    pub timeout: Option<String>,
    /// Name of a retry.
    pub retry: Option<String>,
    /// Name of a circuit breaker.
    pub circuit_breaker: Option<String>,
}

/// A retry policy: exactly one kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Retry {
    /// Always the same wait.
    Constant(ConstantRetry),
    /// Waits of 0.5 s, 0.75 s, 1.125 s …, each ± 50 %; Dapr offers no other.
    Exponential(ExponentialRetry),
}

/// Always the same wait.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConstantRetry {
    /// Retries after the first try.
    #[schemars(range(min = 0, max = 100))]
    pub max_retries: u32,
    /// Wait before each.
    pub interval: Duration,
}

/// Growing waits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExponentialRetry {
    /// Retries after the first try.
    #[schemars(range(min = 0, max = 100))]
    pub max_retries: u32,
    /// The longest wait.
    pub max_interval: Duration,
}

/// A circuit breaker.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Failures in a row after which it opens.
    #[schemars(range(min = 1, max = 1000))]
    pub consecutive_failures: u32,
    /// How long it stays open.
    pub open: Duration,
}
