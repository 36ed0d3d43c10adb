//! Rules about Dapr: what it accepts without a word, and then fails at.

mod bounds;
mod metadata;
mod transports;

use super::{Rule, Subject, rule, waivable};
use crate::diagnostic::Diagnostic;
use crate::resolve::{Dapr, PolicyUse, Service, Topic};
use crate::spec::validate::nearest;

pub(super) const RULES: &[Rule] = &[
    rule(
        401,
        "an event is retried before it becomes a dead letter",
        retry_before_dead_letter,
    ),
    rule(
        402,
        "an event that was retried in vain has somewhere to go",
        dead_letter_after_retry,
    ),
    rule(403, "deliveries have no circuit breaker", no_inbound_breaker),
    rule(404, "every policy that is used is defined", policies_are_defined),
    rule(
        405,
        "the component has every metadata key that is set",
        metadata::keys_exist,
    ),
    rule(
        406,
        "this Dapr has every metadata key that is set",
        metadata::keys_are_old_enough,
    ),
    rule(
        407,
        "no metadata value changes the topics' names",
        metadata::no_namespace_prefix,
    ),
    rule(408, "a publish ends before its deadline", bounds::publish_ends),
    rule(
        409,
        "a delivery ends before the group gives the consumer up",
        bounds::delivery_ends,
    ),
    rule(
        410,
        "events reach a service in exactly one way",
        transports::exactly_one,
    ),
    rule(
        411,
        "events reach a service in a way that it knows",
        transports::is_known,
    ),
    rule(412, "every attempt has a timeout", bounds::attempts_have_timeouts),
    rule(
        413,
        "metadata that gen derives is not written by hand",
        metadata::derived_keys_are_ours,
    ),
    rule(414, "the services work with this Dapr", metadata::version_is_new_enough),
    rule(
        415,
        "a call ends before the delivery that waits for it",
        bounds::calls_end_within_deliveries,
    ),
    rule(
        416,
        "what cannot be handled is held, not skipped",
        metadata::component_retries_never_end,
    ),
    waivable(417, "the Scheduler survives the loss of a pod", scheduler_keeps_jobs),
];

fn scheduler_keeps_jobs(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let in_memory = subject.env.dapr.as_ref().is_some_and(|dapr| dapr.scheduler_in_memory);
    if !in_memory {
        return Vec::new();
    }
    let written = subject.written.spec.dapr.scheduler_storage.is_some();
    let pointer = if written { "/dapr/schedulerStorage" } else { "/profile" };
    vec![
        subject
            .error(417, pointer, "the Scheduler keeps its jobs in memory only")
            .warning()
            .label("no volume for its jobs")
            .reason("a pod that is replaced cannot join the others again: after the second one no job fires until somebody starts them all anew")
            .fix("write `dapr: { schedulerStorage: volumes }`, or waive TF0417 with the reason why late reminders can be borne"),
    ]
}

/// The directions in which policies apply, with their place in the spec.
fn directions(dapr: &Dapr) -> [(&'static str, &PolicyUse); 3] {
    [
        ("/dapr/resiliency/inbound", &dapr.inbound),
        ("/dapr/resiliency/outbound", &dapr.outbound),
        ("/dapr/resiliency/invocation", &dapr.invocation),
    ]
}

/// The services that Dapr delivers to, each with a topic whose failures it would give up to the twin.
fn giving_up<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a Service, &'a Topic)> {
    let env = subject.env;
    let services = env.services.iter().filter(|service| service.uses_dapr());
    services.flat_map(move |service| {
        let consumed = service.entry.consumes.iter();
        let topics = consumed
            .filter(|subscription| subscription.dead_letter.is_some())
            .filter_map(|subscription| env.topic(subscription.topic));
        topics.map(move |topic| (service, topic))
    })
}

fn retry_before_dead_letter(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(dapr) = &subject.env.dapr else {
        return Vec::new();
    };
    let pointer = match &dapr.inbound.retry {
        None => "/dapr/resiliency/inbound/retry".to_owned(),
        Some(name) if dapr.retries.get(name).is_some_and(|retry| retry.max_retries == 0) => {
            format!("/dapr/resiliency/retries/{name}")
        }
        Some(_) => return Vec::new(),
    };
    let Some((_, topic)) = giving_up(subject).find(|(_, topic)| topic.dead_letter.is_some()) else {
        return Vec::new();
    };
    let message = format!(
        "`{}` has a dead-letter topic, but deliveries are not retried",
        topic.name
    );
    vec![
        subject
            .error(401, &pointer, message)
            .label("no retry")
            .reason("without a retry Dapr dead-letters an event on its first failure: a moment's hitch fills the dead-letter topic")
            .fix("name a retry with `maxRetries` of at least 1, or write `deadLetter: none` for the topics, too"),
    ]
}

fn dead_letter_after_retry(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let retried = subject.env.dapr.as_ref().and_then(|dapr| dapr.inbound.retry.as_ref());
    let Some(retry) = retried else {
        return Vec::new();
    };
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for (service, topic) in giving_up(subject).filter(|(_, topic)| topic.dead_letter.is_none()) {
        if seen.contains(&&topic.name) {
            continue;
        }
        seen.push(&topic.name);
        let message = format!(
            "deliveries of `{}` are retried, but it has no dead-letter topic",
            topic.name
        );
        found.push(
            subject
                .error(402, &format!("{}/deadLetter", topic.pointer), message)
                .label(format!("`{}` gives up after the retry `{retry}`", service.app_id()))
                .reason("an event that was retried in vain blocks its partition for ever, and everything behind it")
                .fix("leave `deadLetter` out, or write `retry: none` under dapr.resiliency.inbound"),
        );
    }
    found
}

fn no_inbound_breaker(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let breaker = subject.env.dapr.as_ref().and_then(|dapr| dapr.inbound.breaker.as_ref());
    let Some(breaker) = breaker else {
        return Vec::new();
    };
    vec![
        subject
            .error(
                403,
                "/dapr/resiliency/inbound/circuitBreaker",
                format!("deliveries have the circuit breaker `{breaker}`"),
            )
            .label("opens on failures of the service")
            .reason("while it is open, every event goes to the dead-letter topic without reaching the service; and it blocks publishing, too, since Dapr keeps one breaker per component")
            .fix("leave it out; an outage of the service's own database pauses deliveries through /ready/events"),
    ]
}

fn policies_are_defined(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(dapr) = &subject.env.dapr else {
        return Vec::new();
    };
    let timeouts: Vec<&str> = dapr.timeouts.keys().map(String::as_str).collect();
    let retries: Vec<&str> = dapr.retries.keys().map(String::as_str).collect();
    let breakers: Vec<&str> = dapr.breakers.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    for (pointer, uses) in directions(dapr) {
        for (key, what, used, known) in [
            ("timeout", "timeout", &uses.timeout, &timeouts),
            ("retry", "retry", &uses.retry, &retries),
            ("circuitBreaker", "circuit breaker", &uses.breaker, &breakers),
        ] {
            let Some(name) = used.as_deref().filter(|name| !known.contains(name)) else {
                continue;
            };
            let fix = match nearest(name, known) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("define it, or use one of: {}", known.join(", ")),
            };
            found.push(
                subject
                    .error(404, &format!("{pointer}/{key}"), format!("no {what} is called `{name}`"))
                    .label("not defined")
                    .reason("an unknown timeout or retry is silently none at all; an unknown circuit breaker crashes the sidecar")
                    .fix(fix),
            );
        }
    }
    found
}
