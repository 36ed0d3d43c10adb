//! The pub/sub Component of a service: its own user, group and circuit breaker, shared with nobody.

use super::objects::{ComponentSpec, MetadataItem, SecretKey};
use super::{Bus, consumed};
use crate::pubsub_kafka;
use crate::resolve::{Brokers, Environment, Kafka, Service};
use crate::spec::kafka::SaslMechanism;
use catalogue::StartFrom;

/// The Kafka protocol that daprd speaks at the most; it agrees on less with a broker that knows less. Its default,
/// 2.0.0, is one that Kafka 4 no longer answers (KIP-896).
const PROTOCOL_VERSION: &str = "3.9.0";
/// What only tells daprd how to publish must not become a header: a dead letter would carry it on, and be refused
/// where the dead-letter topic has no such partition.
const EXCLUDED_HEADERS: &str = "^(partitionNumber|partitionKey|rawPayload)$";

/// The keys that an environment may set although gen has a value for them.
const TUNABLE: [&str; 2] = ["consumerGroupRebalanceStrategy", "version"];

pub(super) fn spec(bus: Bus<'_>, service: &Service) -> ComponentSpec {
    ComponentSpec {
        r#type: "pubsub.kafka",
        version: "v1",
        // Dapr's own 5 s are less than one attempt to reach a broker may take, and a failed start ends daprd.
        init_timeout: "30s".to_owned(),
        metadata: metadata(bus, service),
    }
}

/// Whether gen writes this key itself, so that an environment must not.
pub(crate) fn is_ours(key: &str) -> bool {
    const OURS: [&str; 22] = [
        "authRequired",
        "authType",
        "brokers",
        "caCert",
        "clientCert",
        "clientID",
        "clientKey",
        "consumeRetryEnabled",
        "consumerGroup",
        "consumerID",
        "disableTls",
        "escapeHeaders",
        "excludeHeaderMetaRegex",
        "initialOffset",
        "maxMessageBytes",
        "producerRequiredAcks",
        "publishingScopes",
        "saslMechanism",
        "saslPassword",
        "saslUsername",
        "skipVerify",
        "subscriptionScopes",
    ];
    OURS.contains(&key)
}

fn metadata(bus: Bus<'_>, service: &Service) -> Vec<MetadataItem> {
    let env = bus.inputs.env;
    let mut values = connection(bus, service);
    values.extend(plain_values(env, service).into_iter().map(value));
    let version = bus.dapr.version.parse().unwrap_or(pubsub_kafka::LEAST_VERSION);
    // A key that this Dapr does not have would be ignored; what it asks for is then the component's fixed behaviour.
    values.retain(|item| pubsub_kafka::key(&item.name).is_none_or(|key| key.since <= version));
    let written: Vec<MetadataItem> = bus.dapr.metadata.iter().map(|(k, v)| value((k, v.clone()))).collect();
    values.retain(|item| !TUNABLE.contains(&item.name.as_str()) || written.iter().all(|own| own.name != item.name));
    values.extend(written);
    values
}

fn plain_values(env: &Environment, service: &Service) -> Vec<(&'static str, String)> {
    let app_id = service.app_id();
    let mut values = vec![("clientID", app_id.to_owned())];
    if let Some(group) = service.entry.consumer_group.and_then(|group| group.shared_name()) {
        values.push(("consumerGroup", group.to_owned()));
        values.push(("initialOffset", initial_offset(service).to_owned()));
    }
    values.extend([
        ("version", PROTOCOL_VERSION.to_owned()),
        ("consumerGroupRebalanceStrategy", "sticky".to_owned()),
        ("consumeRetryEnabled", "true".to_owned()),
        ("escapeHeaders", "true".to_owned()),
        ("excludeHeaderMetaRegex", EXCLUDED_HEADERS.to_owned()),
    ]);
    let largest = written_topics(env, service).filter_map(|name| env.topic(name));
    if let Some(bytes) = largest.map(|topic| topic.max_message_bytes).max() {
        values.push(("maxMessageBytes", bytes.to_string()));
    }
    values.extend([
        ("producerRequiredAcks", "all".to_owned()),
        // The sidecar that gives an event up publishes it to the dead-letter topic itself: it needs the right to.
        (
            "publishingScopes",
            format!("{app_id}={}", join(written_topics(env, service))),
        ),
        (
            "subscriptionScopes",
            format!("{app_id}={}", join(consumed(env, service).map(|it| it.topic))),
        ),
    ]);
    values
}

/// Where a group begins that has committed nothing. One component has one place for all its topics.
fn initial_offset(service: &Service) -> &'static str {
    let oldest = service.entry.consumes.iter().all(|it| it.start == StartFrom::Oldest);
    if oldest { "oldest" } else { "newest" }
}

/// The topics that a service writes to and that exist here: a twin may be switched off.
fn written_topics<'a>(env: &'a Environment, service: &'a Service) -> impl Iterator<Item = &'static str> + 'a {
    service.entry.writes_topics().filter(|name| env.topic(name).is_some())
}

fn connection(bus: Bus<'_>, service: &Service) -> Vec<MetadataItem> {
    let kafka = &bus.inputs.env.kafka;
    let app_id = service.app_id();
    if let Some(target) = bus.self_hosted {
        return [("brokers", target.brokers.clone()), ("authType", "none".to_owned())]
            .map(value)
            .into();
    }
    let mut items = vec![value(("brokers", kafka.bootstrap()))];
    match &kafka.brokers {
        Brokers::Strimzi(_) => {
            items.push(value(("authType", "mtls".to_owned())));
            // Without the authority daprd crashes instead of connecting (components-contrib:`common/component/kafka/auth.go`).
            items.push(secret("caCert", Kafka::ca_secret(), "ca.crt"));
            items.push(secret("clientCert", app_id.to_owned(), "user.crt"));
            items.push(secret("clientKey", app_id.to_owned(), "user.key"));
        }
        Brokers::External(external) => {
            // `password` implies TLS; the certificate is a public one.
            items.push(value(("authType", "password".to_owned())));
            items.push(value(("saslMechanism", mechanism(external.mechanism).to_owned())));
            items.push(secret("saslUsername", Kafka::user_secret(app_id), "username"));
            items.push(secret("saslPassword", Kafka::user_secret(app_id), "password"));
        }
    }
    items
}

/// The component takes every other word for PLAIN.
fn mechanism(mechanism: SaslMechanism) -> &'static str {
    match mechanism {
        SaslMechanism::ScramSha256 => "SHA-256",
        SaslMechanism::ScramSha512 => "SHA-512",
    }
}

fn value((name, value): (impl Into<String>, String)) -> MetadataItem {
    MetadataItem {
        name: name.into(),
        value: Some(value),
        secret_key_ref: None,
    }
}

fn secret(name: &str, secret: String, key: &'static str) -> MetadataItem {
    MetadataItem {
        name: name.to_owned(),
        value: None,
        secret_key_ref: Some(SecretKey { name: secret, key }),
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_ours_is_one_that_the_component_has() {
        for name in pubsub_kafka::names() {
            assert!(
                !(is_ours(name) && TUNABLE.contains(&name)),
                "{name} is both ours and the environment's"
            );
        }
        for name in [
            "brokers",
            "saslPassword",
            "producerRequiredAcks",
            "excludeHeaderMetaRegex",
        ] {
            assert!(is_ours(name) && pubsub_kafka::key(name).is_some(), "{name}");
        }
    }
}
