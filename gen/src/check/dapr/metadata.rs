//! The Kafka component's metadata.

use super::super::Subject;
use crate::diagnostic::Diagnostic;
use crate::emit::dapr::is_our_metadata_key;
use crate::pubsub_kafka::{self, DaprVersion, LEAST_VERSION};
use crate::spec::validate::nearest;

/// The metadata that the spec adds, with its place.
fn written<'a>(subject: &Subject<'a>) -> impl Iterator<Item = (&'a str, &'a str, String)> {
    let metadata = subject.env.dapr.iter().flat_map(|dapr| &dapr.metadata);
    metadata.map(|(key, value)| (key.as_str(), value.as_str(), format!("/dapr/metadata/{key}")))
}

pub(super) fn keys_exist(subject: &Subject<'_>) -> Vec<Diagnostic> {
    written(subject)
        .filter(|(key, ..)| pubsub_kafka::key(key).is_none())
        .map(|(key, _, pointer)| {
            let fix = match (belongs_to(key), nearest(key, &pubsub_kafka::names())) {
                (Some(place), _) => place.to_owned(),
                (None, Some(meant)) => format!("did you mean `{meant}`?"),
                (None, None) => "remove it".to_owned(),
            };
            subject
                .error(405, &pointer, format!("pubsub.kafka has no metadata key `{key}`"))
                .label("no such key")
                .reason("Dapr ignores a key that the component does not have, without a word")
                .fix(fix)
        })
        .collect()
}

/// Where something belongs that is often taken for metadata of the component.
fn belongs_to(key: &str) -> Option<&'static str> {
    let folded = key.to_lowercase().replace(['-', '_'], "");
    Some(match folded.as_str() {
        "maxretries" | "retrybackoff" | "retryinterval" | "retries" | "retrypolicy" | "backoff" => {
            "retries belong to Resiliency: name one under `dapr.resiliency.retries`"
        }
        "circuitbreakerthreshold" | "circuitbreakertimeout" | "circuitbreaker" => {
            "circuit breakers belong to Resiliency: name one under `dapr.resiliency.circuitBreakers`"
        }
        "publishtimeout" | "timeout" | "requesttimeout" => {
            "timeouts belong to Resiliency: name one under `dapr.resiliency.timeouts`"
        }
        "deadlettertopic" | "dlqtopic" | "dlq" => {
            "a dead-letter topic belongs to the topic: `topics.<topic>.deadLetter`"
        }
        "maxidleconns" | "maxopenconns" | "maxconns" | "connmaxlifetime" => {
            "connection pools are the services' own: `services.<service>.pool`"
        }
        "partitionkey" | "partitionnumber" | "rawpayload" | "ttlinseconds" => {
            "this is said with each publish, by the service; remove it"
        }
        _ => return None,
    })
}

pub(super) fn keys_are_old_enough(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(version) = version(subject) else {
        return Vec::new();
    };
    written(subject)
        .filter_map(|(key, _, pointer)| Some((pubsub_kafka::key(key)?, pointer)))
        .filter(|(key, _)| key.since > version)
        .map(|(key, pointer)| {
            let message = format!("`{}` came with Dapr {}, here is {version}", key.name, key.since);
            subject
                .error(406, &pointer, message)
                .label(format!("since {}", key.since))
                .related(subject.written.span("/dapr/version"), format!("Dapr {version}"))
                .reason("an older Dapr ignores the key without a word")
                .fix(format!("remove it, or use Dapr {} or later", key.since))
        })
        .collect()
}

pub(super) fn no_namespace_prefix(subject: &Subject<'_>) -> Vec<Diagnostic> {
    written(subject)
        .filter(|(_, value, _)| value.contains("{namespace}"))
        .map(|(key, _, pointer)| {
            subject
                .error(407, &pointer, format!("`{key}` contains `{{namespace}}`"))
                .label("changes every topic's name")
                .reason("if any value contains it, Dapr puts the namespace before the name of every topic, the dead-letter topic's too: nobody reads what is published")
                .fix("write the namespace itself")
        })
        .collect()
}

pub(super) fn derived_keys_are_ours(subject: &Subject<'_>) -> Vec<Diagnostic> {
    written(subject)
        .filter(|(key, ..)| is_our_metadata_key(key))
        .map(|(key, _, pointer)| {
            subject
                .error(413, &pointer, format!("`{key}` is derived, and differs from service to service"))
                .label("not for the spec to say")
                .reason("the same value for every service would share a user, a group or rights, or lose what depends on it")
                .fix("remove it")
        })
        .collect()
}

pub(super) fn version_is_new_enough(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let Some(dapr) = &subject.env.dapr else {
        return Vec::new();
    };
    let (message, fix) = match dapr.version.parse::<DaprVersion>() {
        Err(problem) => (problem, "write all three numbers".to_owned()),
        Ok(version) if version < LEAST_VERSION => (
            format!("the services need Dapr {LEAST_VERSION}, here is {version}"),
            format!("write at least {LEAST_VERSION}, or leave it out"),
        ),
        Ok(_) => return Vec::new(),
    };
    vec![
        subject
            .error(414, "/dapr/version", message)
            .label("too old, or unreadable")
            .reason("before 1.18 there is no stable jobs API, and `partitionNumber` is ignored: events land in partitions where no other client looks for them")
            .fix(fix),
    ]
}

pub(super) fn component_retries_never_end(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let gives_up = |key: &str, value: &str| match key {
        "backOffMaxRetries" => value.trim() != "-1",
        "backOffMaxElapsedTime" => !matches!(value.trim(), "0" | "0s"),
        _ => false,
    };
    written(subject)
        .filter(|(key, value, _)| gives_up(key, value))
        .map(|(key, value, pointer)| {
            subject
                .error(416, &pointer, format!("`{key}: {value}` lets the component give up"))
                .label("gives up")
                .reason("when the component's own retry ends, the event is skipped and the next one is taken: it is in no dead-letter topic, it is gone")
                .fix("remove it; poison goes to the dead-letter topic through Resiliency")
        })
        .collect()
}

fn version(subject: &Subject<'_>) -> Option<DaprVersion> {
    subject.env.dapr.as_ref()?.version.parse().ok()
}
