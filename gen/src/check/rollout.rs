//! Rules about rolling out and shutting down.

use super::{Rule, Subject, rule};
use crate::artefact::Object;
use crate::diagnostic::Diagnostic;
use crate::resolve::{Disruption, Service};
use crate::spec::units::Duration;
use serde_yaml::Value;

pub(super) const RULES: &[Rule] = &[
    rule(601, "a node can be drained", nodes_can_be_drained),
    rule(602, "a pod is not killed before it has ended", pods_may_end),
    rule(
        603,
        "the sidecar serves as long as the service",
        sidecar_outlasts_service,
    ),
    rule(
        604,
        "a rollout says that it failed before its release does",
        rollout_fails_first,
    ),
    rule(
        605,
        "a migration says that it failed before its release does",
        migration_fails_first,
    ),
    rule(606, "whatever is released has a digest", releases_have_digests),
    rule(607, "what has digests is released", digests_are_released),
    rule(
        608,
        "times of shutting down are ones that a service takes",
        shutdown_is_in_range,
    ),
];

/// The longest that the chart takes for any of them.
const LONGEST: Duration = Duration::seconds(3600);
/// What services take as `TASKFLOW_SHUTDOWN_DRAIN_SECONDS`.
const DRAIN: (Duration, Duration) = (Duration::seconds(1), Duration::seconds(60));

fn nodes_can_be_drained(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    env.services
        .iter()
        .filter_map(|service| {
            let (key, message) = match service.disruption {
                Disruption::MinAvailable(count) if count >= service.min_replicas => (
                    "minAvailable",
                    format!("{count} of {} pods of `{}` must stay", service.min_replicas, service.app_id()),
                ),
                Disruption::MaxUnavailable(0) => ("maxUnavailable", format!("no pod of `{}` may go", service.app_id())),
                _ => return None,
            };
            let pointer = format!("{}/disruption/{key}", service.pointer());
            let least = subject.written.span(&format!("{}/replicas/min", service.pointer()));
            let finding = subject
                .error(601, &pointer, message)
                .label("nothing can be evicted")
                .reason("every drain of a node with such a pod waits until it is cancelled: node upgrades fail (AKS) or end by force (GKE)")
                .fix("let at least one go: `disruption: { maxUnavailable: 1 }`, or `disruption: none` for a single pod");
            Some(if key == "minAvailable" {
                finding.related(least, format!("at least {} pod(s)", service.min_replicas))
            } else {
                finding
            })
        })
        .collect()
}

fn pods_may_end(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    env.services
        .iter()
        .filter(|service| service.shutdown.grace < service.shutdown.needed(service.uses_dapr()))
        .map(|service| {
            let shutdown = service.shutdown;
            let message = format!(
                "pods of `{}` are killed after {}, but need {}",
                service.app_id(),
                shutdown.grace,
                shutdown.needed(service.uses_dapr())
            );
            let parts = if service.uses_dapr() {
                format!(
                    "the longer of preStop {} + drain {} and sidecar {} + {}, and 10s",
                    shutdown.pre_stop, shutdown.drain, shutdown.sidecar_block, shutdown.sidecar_graceful
                )
            } else {
                format!("preStop {} + drain {}, and 10s", shutdown.pre_stop, shutdown.drain)
            };
            subject
                .error(602, &at(service, "grace"), message)
                .label(parts)
                .reason("the grace period counts from the beginning of preStop; what has not ended then is killed in the middle of a request or a transaction")
                .fix("leave `grace` out, or make the other times shorter")
        })
        .collect()
}

fn sidecar_outlasts_service(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    env.services
        .iter()
        .filter(|service| service.uses_dapr())
        .filter(|service| service.shutdown.sidecar_block.0 < service.shutdown.pre_stop.0 + service.shutdown.drain.0)
        .map(|service| {
            let shutdown = service.shutdown;
            let message = format!(
                "the sidecar of `{}` serves for {}, the service for {}",
                service.app_id(),
                shutdown.sidecar_block,
                Duration(shutdown.pre_stop.0 + shutdown.drain.0)
            );
            subject
                .error(603, &at(service, "sidecarBlock"), message)
                .label(format!("less than preStop {} + drain {}", shutdown.pre_stop, shutdown.drain))
                .reason("the sidecar has no preStop: SIGTERM reaches it at once, and the last publishes of the service find nobody")
                .fix("leave `sidecarBlock` out: it is then as long as the service needs")
        })
        .collect()
}

fn at(service: &Service, key: &str) -> String {
    format!("{}/shutdown/{key}", service.pointer())
}

/// A number of seconds in the values of a release, and the release's own timeout.
fn deadline(object: &Object, pointer: &str) -> Option<(Duration, Duration)> {
    let seconds = object.at(&format!("/spec/values/{pointer}")).and_then(Value::as_u64)?;
    let timeout = object.at("/spec/timeout").and_then(Value::as_str)?.parse().ok()?;
    Some((Duration::seconds(seconds), timeout))
}

fn late(subject: &Subject<'_>, code: u16, pointer: &str, what: &str) -> Vec<Diagnostic> {
    let releases = subject.artefacts.of_kind("HelmRelease");
    releases
        .filter_map(|(artefact, object)| Some((artefact, object, deadline(object, pointer)?)))
        .filter(|(_, _, (deadline, timeout))| deadline >= timeout)
        .map(|(artefact, object, (deadline, timeout))| {
            let message = format!("{what} of `{}` may take {deadline}, its release {timeout}", object.name);
            subject
                .error(code, &artefact.pointer, message)
                .reason("the release is rolled back with nothing but \"timed out\": the cause is gone with the pods")
                .fix("this is a mistake of the compiler; please report it")
        })
        .collect()
}

fn rollout_fails_first(subject: &Subject<'_>) -> Vec<Diagnostic> {
    late(
        subject,
        604,
        "rollout/progressDeadlineSeconds",
        "a rollout without progress",
    )
}

fn migration_fails_first(subject: &Subject<'_>) -> Vec<Diagnostic> {
    late(subject, 605, "migration/activeDeadlineSeconds", "the migration")
}

fn releases_have_digests(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    let names = env.services.iter().map(Service::app_id);
    let missing: Vec<&str> = names.filter(|name| !env.lock.images.contains_key(*name)).collect();
    if !env.released || missing.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "environments/{}.lock.yaml has no digest for {}",
        env.name,
        missing.join(", ")
    );
    vec![
        subject
            .error(606, "/released", message)
            .label("said to be released")
            .reason(
                "without a digest nobody can say what runs; the release would look for an image that does not exist",
            )
            .fix("let the release workflow write the lock, or write `released: false` until it has"),
    ]
}

fn digests_are_released(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let env = subject.env;
    if env.released || env.lock.images.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "environments/{}.lock.yaml has {} digest(s), but nothing is released",
        env.name,
        env.lock.images.len()
    );
    vec![
        subject
            .error(607, "/released", message)
            .warning()
            .label("said not to be released")
            .reason("the services' releases stay suspended: the cluster keeps what it has, and nobody is told")
            .fix("write `released: true`"),
    ]
}

fn shutdown_is_in_range(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let second = Duration::seconds(1);
    for service in &subject.env.services {
        let shutdown = service.shutdown;
        for (key, time, (least, most)) in [
            ("preStop", shutdown.pre_stop, (Duration(0), LONGEST)),
            ("drain", shutdown.drain, DRAIN),
            ("sidecarBlock", shutdown.sidecar_block, (Duration(0), LONGEST)),
            ("sidecarGraceful", shutdown.sidecar_graceful, (second, LONGEST)),
            ("grace", shutdown.grace, (second, LONGEST)),
        ] {
            let pointer = at(service, key);
            let fits = time >= least && time <= most && time.0.is_multiple_of(1000);
            // What was derived from a wrong value is not another mistake.
            if fits || !subject.written.says(&pointer) {
                continue;
            }
            found.push(
                subject
                    .error(608, &pointer, format!("`{key}: {time}` of `{}` is not accepted", service.app_id()))
                    .label(format!("whole seconds, {least} to {most}"))
                    .reason("Kubernetes counts whole seconds, and a service refuses to start with a drain that it does not take")
                    .fix(format!("write whole seconds from {least} to {most}")),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests;
