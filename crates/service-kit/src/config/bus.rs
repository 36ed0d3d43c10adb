//! The transport of events.

use std::{net::Ipv6Addr, path::PathBuf};

use catalogue::{
    EnvironmentVariable, Transport, app_ids,
    environment_variables::{
        APP_API_TOKEN, DAPR_API_TOKEN, TASKFLOW_BUS, TASKFLOW_DAPR_HTTP_ENDPOINT, TASKFLOW_KAFKA_BROKERS,
        TASKFLOW_KAFKA_CA_FILE, TASKFLOW_KAFKA_CERTIFICATE_FILE, TASKFLOW_KAFKA_KEY_FILE, TASKFLOW_KAFKA_PREFIX,
        TASKFLOW_KAFKA_SASL_MECHANISM, TASKFLOW_KAFKA_SASL_PASSWORD, TASKFLOW_KAFKA_SASL_USERNAME,
        TASKFLOW_KAFKA_SECURITY, TASKFLOW_REMINDERS_PARTITIONS, TASKFLOW_TASK_EVENTS_PARTITIONS,
    },
    topics,
};
use kafka_settings::{BusSettings, KafkaSettings, Password, SaslMechanism, Security, SidecarSettings};

use super::{
    Reader, Secret,
    values::{http_address, integer, one_of, readable_file, text},
};

/// The way that events go, of a service that may use either. `None` when the reader has noted a problem.
///
/// # Panics
/// As [`bus`].
pub fn either_bus(reader: &mut Reader) -> Option<BusSettings> {
    let transport = bus(reader)?;
    // All of them are read whatever the transport is, so that none counts as unknown to the service.
    let sidecar = sidecar(reader, transport);
    let kafka = kafka(reader, transport);
    match transport {
        Transport::Kafka => kafka.map(BusSettings::Direct),
        Transport::Dapr => sidecar.map(BusSettings::Sidecar),
    }
}

/// How the own sidecar is reached, where the transport is Dapr. `None` when it is not, or when the reader has noted a
/// problem.
fn sidecar(reader: &mut Reader, transport: Transport) -> Option<SidecarSettings> {
    let settings = DaprSettings::read(reader, transport);
    let mut partitioned = Vec::new();
    if app_ids::PUBLISHERS.contains(&reader.service().app_id) {
        for topic in [topics::TASK_EVENTS, topics::REMINDERS] {
            partitioned.push(partitions(reader, topic).map(|partitions| (topic, partitions)));
        }
    }
    let prefix = reader.optional(&TASKFLOW_KAFKA_PREFIX, name_prefix);
    let settings = settings?;
    Some(SidecarSettings {
        endpoint: settings.endpoint,
        api_token: Password(settings.api_token.expose().to_owned()),
        app_token: Password(settings.app_token.expose().to_owned()),
        partitions: partitioned.into_iter().collect::<Option<_>>()?,
        prefix: prefix.unwrap_or_default(),
    })
}

/// Which way events go. `None` when the reader has noted a problem.
///
/// # Panics
/// When the service has no choice (websocket) or uses no broker: a bug.
pub fn bus(reader: &mut Reader) -> Option<Transport> {
    let words = [("dapr", Transport::Dapr), ("kafka", Transport::Kafka)];
    reader.required(&TASKFLOW_BUS, one_of(&words))
}

/// Partitions of a topic that the service publishes to through Dapr. `None` when the reader has noted a problem.
///
/// # Panics
/// When it is no topic of events, or the service does not publish: a bug.
pub fn partitions(reader: &mut Reader, topic: &str) -> Option<u32> {
    let variable: EnvironmentVariable = match topic {
        topics::TASK_EVENTS => TASKFLOW_TASK_EVENTS_PARTITIONS,
        topics::REMINDERS => TASKFLOW_REMINDERS_PARTITIONS,
        other => panic!("nobody places events in `{other}`"),
    };
    reader.required(&variable, integer(1..=1000))
}

#[derive(Clone, Copy, PartialEq)]
enum Protection {
    None,
    Tls,
    SaslTls,
}

/// How the brokers are reached, where the transport is Kafka. `None` when it is not, or when the reader has noted a
/// problem.
pub fn kafka(reader: &mut Reader, transport: Transport) -> Option<KafkaSettings> {
    let direct = transport == Transport::Kafka;
    let brokers = reader.required_when(direct, &TASKFLOW_KAFKA_BROKERS, broker_list);
    let prefix = reader.optional(&TASKFLOW_KAFKA_PREFIX, name_prefix);
    let words = [
        ("plaintext", Protection::None),
        ("tls", Protection::Tls),
        ("sasl-tls", Protection::SaslTls),
    ];
    let protection = reader.required_when(direct, &TASKFLOW_KAFKA_SECURITY, one_of(&words));
    let security = read_security(reader, protection.unwrap_or(Protection::None));
    protection?;
    Some(KafkaSettings {
        brokers: brokers?,
        security: security?,
        prefix: prefix.unwrap_or_default(),
    })
}

fn read_security(reader: &mut Reader, protection: Protection) -> Option<Security> {
    let (tls, sasl) = (protection == Protection::Tls, protection == Protection::SaslTls);
    let ca_file = reader.optional(&TASKFLOW_KAFKA_CA_FILE, |value| match protection {
        Protection::None => Some(PathBuf::from(value)),
        Protection::Tls | Protection::SaslTls => readable_file(value),
    });
    let certificate = reader.required_when(tls, &TASKFLOW_KAFKA_CERTIFICATE_FILE, readable_file);
    let key = reader.required_when(tls, &TASKFLOW_KAFKA_KEY_FILE, readable_file);
    let words = SaslMechanism::ALL.map(|mechanism| (mechanism.as_str(), mechanism));
    let mechanism = reader.required_when(sasl, &TASKFLOW_KAFKA_SASL_MECHANISM, one_of(&words));
    let username = reader.required_when(sasl, &TASKFLOW_KAFKA_SASL_USERNAME, text);
    let password = reader.required_when(sasl, &TASKFLOW_KAFKA_SASL_PASSWORD, |it| Some(Password(it.to_owned())));
    Some(match protection {
        Protection::None => Security::Plaintext,
        Protection::Tls => Security::Tls {
            ca_file,
            certificate_file: certificate?,
            key_file: key?,
        },
        Protection::SaslTls => Security::SaslTls {
            ca_file,
            mechanism: mechanism?,
            username: username?,
            password: password?,
        },
    })
}

/// The letters of which Kafka makes names, and room for the name itself.
fn name_prefix(value: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    ((1..=100).contains(&value.len()) && value.bytes().all(allowed)).then(|| value.to_owned())
}

fn broker_list(value: &str) -> Option<String> {
    let pairs = value.split(',').map(str::trim).map(|pair| {
        let (host, port) = pair.rsplit_once(':')?;
        integer(1..=u16::MAX)(port)?;
        is_host(host).then_some(pair)
    });
    Some(pairs.collect::<Option<Vec<_>>>()?.join(","))
}

/// A name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}

/// How the own sidecar is reached, where the transport is Dapr.
#[derive(Clone, Debug)]
pub struct DaprSettings {
    /// HTTP API of the sidecar, without a closing slash.
    pub endpoint: String,
    /// Shown to the sidecar.
    pub api_token: Secret,
    /// Expected from the sidecar.
    pub app_token: Secret,
}

impl DaprSettings {
    /// Reads them where the transport is Dapr. `None` when it is not, or when the reader has noted a problem.
    pub fn read(reader: &mut Reader, transport: Transport) -> Option<Self> {
        let dapr = transport == Transport::Dapr;
        let secret = |value: &str| Some(Secret::new(value));
        let endpoint = reader.required_when(dapr, &TASKFLOW_DAPR_HTTP_ENDPOINT, http_address);
        let shown = reader.required_when(dapr, &DAPR_API_TOKEN, secret);
        let expected = reader.required_when(dapr, &APP_API_TOKEN, secret);
        Some(Self {
            endpoint: endpoint?,
            api_token: shown?,
            app_token: expected?,
        })
    }
}
