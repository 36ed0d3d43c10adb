//! How long everything may take together.

use super::super::Subject;
use super::directions;
use crate::diagnostic::Diagnostic;
use crate::resolve::{Dapr, PolicyUse};
use crate::spec::units::Duration;

/// Retries run in line with the partition. The group rebalances after 60 s, fixed in the component
/// (IBM/sarama:`config.go`, `Group.Rebalance.Timeout`); half of it leaves room for a second event.
const DELIVERY_BOUND: Duration = Duration::seconds(30);

/// The longest that all attempts and the waits between them may take; `None` where nothing bounds an attempt, or a
/// name is not defined (which is a finding of its own).
fn longest(dapr: &Dapr, uses: &PolicyUse) -> Option<Duration> {
    let timeout = dapr.timeouts.get(uses.timeout.as_ref()?)?;
    let (retries, waits) = match &uses.retry {
        None => (0, Duration(0)),
        Some(name) => {
            let retry = dapr.retries.get(name)?;
            (u64::from(retry.max_retries), retry.longest_waits())
        }
    };
    Some(Duration(
        (1 + retries).saturating_mul(timeout.0).saturating_add(waits.0),
    ))
}

/// The place that made it so long: what the spec says, the most specific first.
fn place(subject: &Subject<'_>, uses: &PolicyUse, others: &[&str]) -> String {
    let policies = [("retries", &uses.retry), ("timeouts", &uses.timeout)];
    let named = policies
        .iter()
        .filter_map(|(kind, name)| Some(format!("/dapr/resiliency/{kind}/{}", name.as_ref()?)));
    let mut places = named.chain(others.iter().map(|&pointer| pointer.to_owned()));
    places
        .find(|pointer| subject.written.says(pointer))
        .unwrap_or_else(|| "/dapr/resiliency".to_owned())
}

/// `1 s × (1 + 3) + 750 ms of waits`
fn sum(dapr: &Dapr, uses: &PolicyUse) -> String {
    let timeout = uses.timeout.as_ref().and_then(|name| dapr.timeouts.get(name));
    let retry = uses.retry.as_ref().and_then(|name| dapr.retries.get(name));
    let timeout = timeout.copied().unwrap_or_default();
    match retry {
        Some(retry) => format!(
            "(1 + {}) × {timeout} and {} of waits",
            retry.max_retries,
            retry.longest_waits()
        ),
        None => format!("one attempt of {timeout}"),
    }
}

pub(super) fn publish_ends(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(dapr) = &subject.env.dapr else {
        return Vec::new();
    };
    let Some(longest) = longest(dapr, &dapr.outbound).filter(|longest| *longest > dapr.publish_deadline) else {
        return Vec::new();
    };
    let pointer = place(
        subject,
        &dapr.outbound,
        &["/dapr/resiliency/publishDeadline", "/dapr/resiliency/outbound"],
    );
    let message = format!(
        "a publish may take {longest}, its caller waits {}",
        dapr.publish_deadline
    );
    vec![
        subject
            .error(408, &pointer, message)
            .label(sum(dapr, &dapr.outbound))
            .reason(
                "the caller gives up while Dapr still tries: the outbox relay publishes again what then arrives twice",
            )
            .fix("use fewer retries, a shorter timeout or shorter waits, or raise `publishDeadline`"),
    ]
}

pub(super) fn delivery_ends(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(dapr) = &subject.env.dapr else {
        return Vec::new();
    };
    let Some(longest) = longest(dapr, &dapr.inbound).filter(|longest| *longest > DELIVERY_BOUND) else {
        return Vec::new();
    };
    let pointer = place(subject, &dapr.inbound, &["/dapr/resiliency/inbound"]);
    let message = format!("the delivery of one event may take {longest}, more than {DELIVERY_BOUND}");
    vec![
        subject
            .error(409, &pointer, message)
            .label(sum(dapr, &dapr.inbound))
            .reason("retries run in line with the partition; Kafka gives a consumer up that does not answer a rebalance within 60 s, and the event goes to two pods at once")
            .fix("use fewer retries, a shorter timeout or shorter waits"),
    ]
}

pub(super) fn attempts_have_timeouts(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(dapr) = &subject.env.dapr else {
        return Vec::new();
    };
    directions(dapr)
        .into_iter()
        .filter(|(_, uses)| uses.timeout.is_none())
        .map(|(pointer, uses)| {
            let message = match &uses.retry {
                Some(retry) => format!("attempts of the retry `{retry}` have no timeout"),
                None => "the only attempt has no timeout".to_owned(),
            };
            subject
                .error(412, &format!("{pointer}/timeout"), message)
                .label("no timeout")
                .reason("an attempt that gets no answer never fails, so nothing retries it and no breaker counts it")
                .fix("name a timeout")
        })
        .collect()
}

pub(super) fn calls_end_within_deliveries(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(dapr) = &subject.env.dapr else {
        return Vec::new();
    };
    let mut services = subject.env.services.iter().filter(|service| service.uses_dapr());
    let Some(service) =
        services.find(|service| !service.entry.invokes.is_empty() && !service.entry.consumes.is_empty())
    else {
        return Vec::new();
    };
    let delivery = dapr.inbound.timeout.as_ref().and_then(|name| dapr.timeouts.get(name));
    let (Some(delivery), Some(longest)) = (delivery, longest(dapr, &dapr.invocation)) else {
        return Vec::new();
    };
    if longest <= *delivery {
        return Vec::new();
    }
    let pointer = place(
        subject,
        &dapr.invocation,
        &["/dapr/resiliency/invocation", "/dapr/resiliency/timeouts/deliver"],
    );
    let message = format!("a call may take {longest}, the delivery that it is part of {delivery}");
    vec![
        subject
            .error(415, &pointer, message)
            .label(sum(dapr, &dapr.invocation))
            .reason(format!(
                "`{}` calls while it handles an event: the delivery is given up and repeated while the call goes on",
                service.app_id()
            ))
            .fix("use fewer retries, a shorter timeout or shorter waits for calls, or a longer timeout for deliveries"),
    ]
}
