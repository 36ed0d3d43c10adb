//! Dapr's resiliency and storage.

use super::Defaults;
use crate::spec::dapr as written;
use crate::spec::dapr::SchedulerStorage;
use crate::spec::units::Duration;
use crate::spec::{Profile, Spec};
use catalogue::delivery;
use std::collections::BTreeMap;

/// The word that means "no policy".
const NONE: &str = "none";

/// Dapr with every policy in place.
#[derive(Clone, Debug)]
pub struct Dapr {
    /// The version that runs here.
    pub version: String,
    /// Whether the Scheduler keeps jobs in memory only.
    pub scheduler_in_memory: bool,
    /// Metadata added to every Kafka component.
    pub metadata: BTreeMap<String, String>,
    /// Timeouts by name.
    pub timeouts: BTreeMap<String, Duration>,
    /// Retries by name.
    pub retries: BTreeMap<String, RetryPolicy>,
    /// Breakers by name.
    pub breakers: BTreeMap<String, Breaker>,
    /// Delivery to a service.
    pub inbound: PolicyUse,
    /// Publishing.
    pub outbound: PolicyUse,
    /// Calls to another service.
    pub invocation: PolicyUse,
    /// The time within which a publish has succeeded or failed.
    pub publish_deadline: Duration,
}

/// Which policies apply, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyUse {
    /// A timeout.
    pub timeout: Option<String>,
    /// A retry.
    pub retry: Option<String>,
    /// A circuit breaker.
    pub breaker: Option<String>,
}

/// A retry policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Retries after the first try.
    pub max_retries: u32,
    /// How long it waits.
    pub kind: RetryKind,
}

/// How long a retry waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryKind {
    /// Always so long.
    Constant(Duration),
    /// 0.5 s × 1.5ⁿ ± 50 %, at most so long.
    Exponential(Duration),
}

/// A circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row after which it opens.
    pub consecutive_failures: u32,
    /// How long it stays open.
    pub open: Duration,
}

impl RetryPolicy {
    /// The longest time that all waits together may take.
    pub fn longest_waits(&self) -> Duration {
        let total = (0..self.max_retries).fold(0_u64, |sum, retry| {
            sum.saturating_add(match self.kind {
                RetryKind::Constant(interval) => interval.0,
                RetryKind::Exponential(most) => exponential_wait(retry, most.0),
            })
        });
        Duration(total)
    }
}

/// Upper bound of Dapr's exponential wait before retry `n` (from 0), in milliseconds: starts at 500 ms, grows by half,
/// jitters by half, and is capped before the jitter (dapr/kit:retry/retry.go with cenkalti/backoff).
fn exponential_wait(n: u32, most: u64) -> u64 {
    let mut interval = 500_u64;
    for _ in 0..n {
        interval = (interval + interval / 2).min(most);
    }
    interval.min(most).saturating_mul(3) / 2
}

pub(super) fn resolve(spec: &Spec, defaults: &mut Defaults) -> Dapr {
    let it = &spec.dapr.resiliency;
    let storage = match spec.profile {
        Profile::Production | Profile::Laptop => SchedulerStorage::Volumes,
        // A pod that is replaced cannot join again (dapr/dapr#8305); where no volume is left, an alert and its runbook
        // say what to do.
        Profile::FreeTier => SchedulerStorage::Memory,
    };
    let storage = spec.dapr.scheduler_storage.unwrap_or_else(|| {
        let word = match storage {
            SchedulerStorage::Memory => "memory",
            SchedulerStorage::Volumes => "volumes",
        };
        defaults.take(
            None,
            "/dapr/schedulerStorage",
            word.to_owned(),
            "the profile; the sweeper covers lost jobs",
        );
        storage
    });
    let policy = |timeout: &str, retry: &str, breaker: Option<&str>| PolicyUse {
        timeout: Some(timeout.to_owned()),
        retry: Some(retry.to_owned()),
        breaker: breaker.map(ToOwned::to_owned),
    };
    let outbound = uses(it.outbound.as_ref(), policy("publish", "publish", Some("broker")));
    Dapr {
        version: defaults.take(
            spec.dapr.version.clone(),
            "/dapr/version",
            crate::pins::DAPR_VERSION.to_owned(),
            "the pin table",
        ),
        scheduler_in_memory: storage == SchedulerStorage::Memory,
        metadata: spec.dapr.metadata.clone(),
        timeouts: timeouts(it, defaults),
        retries: retries(it, defaults),
        breakers: breakers(it, defaults),
        inbound: uses(it.inbound.as_ref(), policy("deliver", "deliver", None)),
        invocation: uses(it.invocation.as_ref(), policy("publish", "publish", Some("peer"))),
        outbound,
        publish_deadline: defaults.take(
            it.publish_deadline,
            "/dapr/resiliency/publishDeadline",
            Duration::seconds(delivery::PUBLISH_DEADLINE.as_secs()),
            "the design",
        ),
    }
}

/// What is written for one direction, key by key over its default; `none` takes a policy away.
fn uses(written: Option<&written::Policies>, default: PolicyUse) -> PolicyUse {
    let Some(written) = written else {
        return default;
    };
    let choose = |said: &Option<String>, default: Option<String>| match said {
        Some(name) if name == NONE => None,
        Some(name) => Some(name.clone()),
        None => default,
    };
    PolicyUse {
        timeout: choose(&written.timeout, default.timeout),
        retry: choose(&written.retry, default.retry),
        breaker: choose(&written.circuit_breaker, default.breaker),
    }
}

fn timeouts(it: &written::Resiliency, defaults: &mut Defaults) -> BTreeMap<String, Duration> {
    let mut timeouts = it.timeouts.clone();
    let delivery = Duration::seconds(delivery::ATTEMPT_TIMEOUT.as_secs());
    for (name, default) in [("deliver", delivery), ("publish", Duration::seconds(1))] {
        timeouts
            .entry(name.to_owned())
            .or_insert_with(|| defaults.take(None, format!("/dapr/resiliency/timeouts/{name}"), default, "the design"));
    }
    timeouts
}

fn retries(it: &written::Resiliency, defaults: &mut Defaults) -> BTreeMap<String, RetryPolicy> {
    let mut retries: BTreeMap<String, RetryPolicy> = it
        .retries
        .iter()
        .map(|(name, retry)| {
            let policy = match retry {
                written::Retry::Constant(constant) => RetryPolicy {
                    max_retries: constant.max_retries,
                    kind: RetryKind::Constant(constant.interval),
                },
                written::Retry::Exponential(exponential) => RetryPolicy {
                    max_retries: exponential.max_retries,
                    kind: RetryKind::Exponential(exponential.max_interval),
                },
            };
            (name.clone(), policy)
        })
        .collect();
    let longest_wait = Duration::seconds(delivery::LONGEST_WAIT.as_secs());
    let of_the_design = [
        ("deliver", delivery::RETRIES, RetryKind::Exponential(longest_wait)),
        ("publish", 3, RetryKind::Constant(Duration(250))),
    ];
    for (name, max_retries, kind) in of_the_design {
        retries.entry(name.to_owned()).or_insert_with(|| {
            let shown = match kind {
                RetryKind::Constant(interval) => format!("{max_retries} retries, {interval} apart"),
                RetryKind::Exponential(most) => format!("exponential, {max_retries} retries, at most {most}"),
            };
            defaults.take(None, format!("/dapr/resiliency/retries/{name}"), shown, "the design");
            RetryPolicy { max_retries, kind }
        });
    }
    retries
}

fn breakers(it: &written::Resiliency, defaults: &mut Defaults) -> BTreeMap<String, Breaker> {
    let mut breakers: BTreeMap<String, Breaker> = it
        .circuit_breakers
        .iter()
        .map(|(name, breaker)| {
            let breaker = Breaker {
                consecutive_failures: breaker.consecutive_failures,
                open: breaker.open,
            };
            (name.clone(), breaker)
        })
        .collect();
    for name in ["broker", "peer"] {
        breakers.entry(name.to_owned()).or_insert_with(|| {
            defaults.take(
                None,
                format!("/dapr/resiliency/circuitBreakers/{name}"),
                "5 failures in a row, open for 30s",
                "the design",
            );
            Breaker {
                consecutive_failures: 5,
                open: Duration::seconds(30),
            }
        });
    }
    breakers
}
