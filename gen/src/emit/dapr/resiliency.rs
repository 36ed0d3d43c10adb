//! Timeouts, retries and circuit breakers of a service's sidecar.
//!
//! Each service has an object of its own, and its policies carry its name: a sidecar merges the policies of all objects
//! it loads into one map, where the last one of a name wins (dapr/dapr:`pkg/resiliency/resiliency.go`).

use super::Bus;
use super::objects::{CircuitBreaker, ComponentTarget, Policies, ResiliencySpec, Retry, Target, Targets};
use crate::resolve::{Breaker, PolicyUse, RetryKind, RetryPolicy, Service};
use catalogue::services::pubsub_component;
use std::collections::BTreeMap;

pub(super) fn spec(bus: Bus<'_>, service: &Service) -> ResiliencySpec {
    let dapr = bus.dapr;
    let app_id = service.app_id();
    let mut policies = Policies::default();
    let consumes = !service.entry.consumes.is_empty();
    let inbound = consumes.then(|| target(bus, app_id, &dapr.inbound, &mut policies));
    let outbound = target(bus, app_id, &dapr.outbound, &mut policies);
    let components = BTreeMap::from([(pubsub_component(app_id), ComponentTarget { inbound, outbound })]);
    let called = service.entry.invokes.iter().map(|invocation| invocation.service);
    let apps = called
        .map(|callee| (callee, target(bus, app_id, &dapr.invocation, &mut policies)))
        .collect();
    ResiliencySpec {
        policies,
        targets: Targets { components, apps },
    }
}

/// What applies in one direction; the policies that it names are put among `policies`.
fn target(bus: Bus<'_>, app_id: &str, uses: &PolicyUse, policies: &mut Policies) -> Target {
    let dapr = bus.dapr;
    let named = |name: &String| format!("{app_id}-{name}");
    let defined = |name: &Option<String>, known: bool| name.as_ref().filter(|_| known).map(named);
    let timeout = uses.timeout.as_ref().and_then(|name| dapr.timeouts.get(name));
    let retry = uses.retry.as_ref().and_then(|name| dapr.retries.get(name));
    let breaker = uses.breaker.as_ref().and_then(|name| dapr.breakers.get(name));
    let target = Target {
        timeout: defined(&uses.timeout, timeout.is_some()),
        retry: defined(&uses.retry, retry.is_some()),
        circuit_breaker: defined(&uses.breaker, breaker.is_some()),
    };
    if let (Some(name), Some(timeout)) = (&target.timeout, timeout) {
        policies.timeouts.insert(name.clone(), timeout.go());
    }
    if let (Some(name), Some(policy)) = (&target.retry, retry) {
        policies.retries.insert(name.clone(), retry_of(policy));
    }
    if let (Some(name), Some(breaker)) = (&target.circuit_breaker, breaker) {
        policies.circuit_breakers.insert(name.clone(), breaker_of(*breaker));
    }
    target
}

fn retry_of(policy: &RetryPolicy) -> Retry {
    let (name, duration, max_interval) = match policy.kind {
        RetryKind::Constant(interval) => ("constant", Some(interval.go()), None),
        RetryKind::Exponential(most) => ("exponential", None, Some(most.go())),
    };
    Retry {
        policy: name,
        duration,
        max_interval,
        max_retries: policy.max_retries,
    }
}

fn breaker_of(breaker: Breaker) -> CircuitBreaker {
    CircuitBreaker {
        max_requests: 1,
        timeout: breaker.open.go(),
        trip: format!("consecutiveFailures >= {}", breaker.consecutive_failures),
    }
}
