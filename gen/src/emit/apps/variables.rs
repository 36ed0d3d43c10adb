//! What each environment variable of our services is set to: one decision for every variable of the catalogue.

use super::files::{CA_FILE, CERTIFICATE_FILE, KEY_FILE};
use super::values::SecretKey;
use super::{API_TOKEN, APP_TOKEN, TOKEN};
use crate::resolve::{Brokers, Environment, Kafka, NAMESPACE, Service, otlp_address};
use crate::spec::kafka::SaslMechanism;
use crate::spec::units::Duration;
use catalogue::environment_variables as variables;
use catalogue::{Catalogue, EnvironmentVariable, app_ids, topics};
use std::collections::BTreeMap;

/// What a variable is set to.
enum Setting {
    /// Nothing: the service's own default, or the feature behind it is off.
    Unset,
    Plain(String),
    Secret(SecretKey),
    /// A field of the pod.
    Pod(&'static str),
}

use Setting::{Plain, Unset};

#[derive(Clone, Copy)]
struct Context<'a> {
    env: &'a Environment,
    service: &'a Service,
}

type Decision = (EnvironmentVariable, fn(Context<'_>) -> Setting);

/// The variables of one service.
#[derive(Default)]
pub(super) struct Variables {
    pub(super) plain: BTreeMap<&'static str, String>,
    pub(super) secret: BTreeMap<&'static str, SecretKey>,
    pub(super) pod: BTreeMap<&'static str, &'static str>,
}

/// What the service's process is given.
pub(super) fn of(env: &Environment, catalogue: &Catalogue, service: &Service) -> Variables {
    let mut found = Variables::default();
    for variable in catalogue.environment_variables_of(service.app_id()) {
        let decision = DECISIONS.iter().find(|(known, _)| known.name == variable.name);
        match decision.map_or(Unset, |(_, decide)| decide(Context { env, service })) {
            Unset => {}
            Plain(value) => drop(found.plain.insert(variable.name, value)),
            Setting::Secret(reference) => drop(found.secret.insert(variable.name, reference)),
            Setting::Pod(field) => drop(found.pod.insert(variable.name, field)),
        }
    }
    found
}

/// What the migration is given: the database, nothing else.
pub(super) fn of_migration(service: &Service) -> BTreeMap<&'static str, SecretKey> {
    BTreeMap::from([
        (variables::TASKFLOW_DATABASE_URL.name, database(service, "url")),
        (
            variables::TASKFLOW_DATABASE_DIRECT_URL.name,
            database(service, "direct-url"),
        ),
    ])
}

const DECISIONS: &[Decision] = &[
    // Process
    (variables::TASKFLOW_HTTP_PORT, |c| port(Some(c.service.entry.http_port))),
    (variables::TASKFLOW_INTERNAL_PORT, |c| {
        port(c.service.entry.internal_port)
    }),
    (variables::TASKFLOW_METRICS_PORT, |c| port(c.service.entry.metrics_port)),
    (variables::TASKFLOW_LISTEN_ADDRESS, |_| Unset),
    (variables::TASKFLOW_LOG, |_| Unset),
    (variables::TASKFLOW_SHUTDOWN_DRAIN_SECONDS, |c| {
        Plain(c.service.shutdown.drain.as_seconds().to_string())
    }),
    (variables::TASKFLOW_POD_NAME, |_| Setting::Pod("metadata.name")),
    (variables::TASKFLOW_PUBLIC_URL, |c| {
        Plain(format!("https://{}", c.env.domain))
    }),
    // Telemetry
    (variables::OTEL_SERVICE_NAME, |_| Unset),
    (variables::OTEL_RESOURCE_ATTRIBUTES, |c| Plain(resource_attributes(c))),
    (variables::OTEL_EXPORTER_OTLP_ENDPOINT, |_| {
        Plain(format!("http://{}", otlp_address()))
    }),
    // Database
    (variables::TASKFLOW_DATABASE_URL, |c| {
        Setting::Secret(database(c.service, "url"))
    }),
    (variables::TASKFLOW_DATABASE_DIRECT_URL, |c| {
        Setting::Secret(database(c.service, "direct-url"))
    }),
    (variables::TASKFLOW_DATABASE_MAX_CONNECTIONS, |c| {
        Plain(c.service.pool.to_string())
    }),
    // Bus
    (variables::TASKFLOW_BUS, |c| Plain(bus(c).to_owned())),
    (variables::TASKFLOW_TASK_EVENTS_PARTITIONS, |c| {
        partitions(c, topics::TASK_EVENTS)
    }),
    (variables::TASKFLOW_REMINDERS_PARTITIONS, |c| {
        partitions(c, topics::REMINDERS)
    }),
    (variables::TASKFLOW_DAPR_HTTP_ENDPOINT, |_| Unset),
    (variables::DAPR_API_TOKEN, |c| with_dapr(c, API_TOKEN)),
    (variables::APP_API_TOKEN, |c| with_dapr(c, APP_TOKEN)),
    (variables::TASKFLOW_KAFKA_BROKERS, |c| {
        direct(c, |c| Plain(c.env.kafka.bootstrap()))
    }),
    // A cluster has brokers for itself.
    (variables::TASKFLOW_KAFKA_PREFIX, |_| Unset),
    (variables::TASKFLOW_KAFKA_SECURITY, |c| direct(c, security)),
    (variables::TASKFLOW_KAFKA_CA_FILE, |c| with_certificate(c, CA_FILE)),
    (variables::TASKFLOW_KAFKA_CERTIFICATE_FILE, |c| {
        with_certificate(c, CERTIFICATE_FILE)
    }),
    (variables::TASKFLOW_KAFKA_KEY_FILE, |c| with_certificate(c, KEY_FILE)),
    (variables::TASKFLOW_KAFKA_SASL_MECHANISM, |c| direct(c, mechanism)),
    (variables::TASKFLOW_KAFKA_SASL_USERNAME, |c| {
        with_password(c, "username")
    }),
    (variables::TASKFLOW_KAFKA_SASL_PASSWORD, |c| {
        with_password(c, "password")
    }),
    // Who may call
    (variables::TASKFLOW_OIDC_ISSUER, |c| Plain(c.env.issuer.clone())),
    (variables::TASKFLOW_OIDC_AUDIENCE, |_| Unset),
    (variables::TASKFLOW_OIDC_JWKS_URL, |_| Unset),
    (variables::TASKFLOW_BUILTIN_ACCOUNTS, |_| Unset),
    (variables::TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY, |_| Unset),
    (variables::TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY, |_| {
        secret(SERVICE_TOKEN, "private-key")
    }),
    (variables::TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY, |_| {
        secret(SERVICE_TOKEN, "public-key")
    }),
    (variables::TASKFLOW_CHAT_API_INTERNAL_URL, |c| direct(c, internal_url)),
    // Limits
    (variables::TASKFLOW_MAX_CONCURRENT_REQUESTS, |_| Unset),
    (variables::TASKFLOW_USER_REQUESTS_PER_SECOND, |_| Unset),
    (variables::TASKFLOW_MAX_CLIENTS, |_| Unset),
    (variables::TASKFLOW_MAX_CLIENTS_PER_USER, |_| Unset),
    (variables::TASKFLOW_HEARTBEAT_SECONDS, |_| Unset),
    // Audit
    (variables::TASKFLOW_RETENTION_DAYS, retention_days),
    // Delivery: each channel is on where its Secret has been made
    (variables::TASKFLOW_SWEEP_SECONDS, |_| Unset),
    (variables::TASKFLOW_SMTP_HOST, |_| optional(SMTP, "host")),
    (variables::TASKFLOW_SMTP_PORT, |_| optional(SMTP, "port")),
    (variables::TASKFLOW_SMTP_USERNAME, |_| optional(SMTP, "username")),
    (variables::TASKFLOW_SMTP_PASSWORD, |_| optional(SMTP, "password")),
    (variables::TASKFLOW_MAIL_FROM, |_| optional(SMTP, "from")),
    (variables::TASKFLOW_VAPID_PRIVATE_KEY, |_| {
        optional(WEB_PUSH, "private-key")
    }),
    (variables::TASKFLOW_VAPID_SUBJECT, |_| optional(WEB_PUSH, "subject")),
    (variables::TASKFLOW_WEBHOOK_ALLOW_PRIVATE, |_| Unset),
];

/// The Secret with the key pair of the tokens that services show each other.
const SERVICE_TOKEN: &str = "service-token";
/// The Secret with the mail server; nobody has to make it.
const SMTP: &str = "smtp";
/// The Secret with the key of Web Push; nobody has to make it.
const WEB_PUSH: &str = "web-push";

fn port(port: Option<u16>) -> Setting {
    port.map_or(Unset, |port| Plain(port.to_string()))
}

fn secret(name: &str, key: &'static str) -> Setting {
    Setting::Secret(SecretKey {
        secret: name.to_owned(),
        key,
        optional: false,
    })
}

fn optional(name: &str, key: &'static str) -> Setting {
    Setting::Secret(SecretKey {
        secret: name.to_owned(),
        key,
        optional: true,
    })
}

fn database(service: &Service, key: &'static str) -> SecretKey {
    SecretKey {
        secret: format!("postgres-{}", service.app_id()),
        key,
        optional: false,
    }
}

/// `$(…)` is filled in by the kubelet.
fn resource_attributes(c: Context<'_>) -> String {
    let pod = variables::TASKFLOW_POD_NAME.name;
    format!(
        "service.namespace=taskflow,deployment.environment.name={},k8s.namespace.name={NAMESPACE},k8s.pod.name=$({pod})",
        c.env.name
    )
}

fn bus(c: Context<'_>) -> &'static str {
    if c.service.uses_dapr() { "dapr" } else { "kafka" }
}

fn partitions(c: Context<'_>, topic: &str) -> Setting {
    let topic = c.env.topic(topic);
    topic.map_or(Unset, |topic| Plain(topic.partitions.to_string()))
}

fn with_dapr(c: Context<'_>, name: &str) -> Setting {
    if c.service.uses_dapr() {
        secret(name, TOKEN)
    } else {
        Unset
    }
}

/// Only for a service that talks to Kafka itself.
fn direct(c: Context<'_>, decide: fn(Context<'_>) -> Setting) -> Setting {
    if c.service.uses_kafka_directly() {
        decide(c)
    } else {
        Unset
    }
}

fn security(c: Context<'_>) -> Setting {
    let word = match c.env.kafka.brokers {
        Brokers::Strimzi(_) => "tls",
        Brokers::External(_) => "sasl-tls",
    };
    Plain(word.to_owned())
}

fn with_certificate(c: Context<'_>, path: &str) -> Setting {
    if c.service.uses_kafka_directly() && c.env.kafka.strimzi().is_some() {
        Plain(path.to_owned())
    } else {
        Unset
    }
}

fn mechanism(c: Context<'_>) -> Setting {
    match &c.env.kafka.brokers {
        Brokers::Strimzi(_) => Unset,
        Brokers::External(external) => Plain(
            match external.mechanism {
                SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
                SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
            }
            .to_owned(),
        ),
    }
}

fn with_password(c: Context<'_>, key: &'static str) -> Setting {
    if c.service.uses_kafka_directly() && c.env.kafka.strimzi().is_none() {
        secret(&Kafka::user_secret(c.service.app_id()), key)
    } else {
        Unset
    }
}

/// The port of chat-api that no gateway leads to.
fn internal_url(c: Context<'_>) -> Setting {
    let port = c
        .env
        .service(app_ids::CHAT_API)
        .and_then(|service| service.entry.internal_port);
    port.map_or(Unset, |port| {
        Plain(format!("http://{}.{NAMESPACE}.svc:{port}", app_ids::CHAT_API))
    })
}

/// At least as long as the topic keeps events, so that replaying it finds every day of the record still there.
fn retention_days(c: Context<'_>) -> Setting {
    let catalogue::Presence::Default(least) = variables::TASKFLOW_RETENTION_DAYS.presence else {
        return Unset;
    };
    let kept = c
        .env
        .topic(topics::TASK_EVENTS)
        .map_or(0, |topic| days(topic.retention));
    Plain(least.parse().unwrap_or(0).max(kept).to_string())
}

fn days(duration: Duration) -> u64 {
    duration.as_seconds().div_ceil(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_has_a_decision() {
        let undecided: Vec<&str> = variables::ALL
            .iter()
            .map(|variable| variable.name)
            .filter(|name| DECISIONS.iter().all(|(known, _)| known.name != *name))
            .collect();
        assert!(undecided.is_empty(), "nobody decides {undecided:?}");
        assert_eq!(DECISIONS.len(), variables::ALL.len());
    }
}
