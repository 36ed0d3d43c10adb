//! The process and its telemetry.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use catalogue::{
    ConsumerGroup,
    environment_variables::{
        OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, TASKFLOW_HTTP_PORT,
        TASKFLOW_INTERNAL_PORT, TASKFLOW_LISTEN_ADDRESS, TASKFLOW_LOG, TASKFLOW_METRICS_PORT, TASKFLOW_POD_NAME,
        TASKFLOW_PUBLIC_URL, TASKFLOW_SHUTDOWN_DRAIN_SECONDS,
    },
};
use tracing_subscriber::EnvFilter;

use super::{
    Reader,
    values::{http_address, https_address, integer, seconds, text},
};

/// Ports, log, name and time to stop of a process.
#[derive(Clone, Debug)]
pub struct ProcessSettings {
    /// Address that every listener is bound to.
    pub listen_address: IpAddr,
    /// Port of the public routes; 0 takes a free one.
    pub http_port: u16,
    /// Port of the internal routes; present exactly when the service has such a listener. 0 takes a free one.
    pub internal_port: Option<u16>,
    /// Port of the metrics; 0 takes a free one.
    pub metrics_port: u16,
    /// What is logged, as directives of `tracing`; they are known to parse.
    pub log: String,
    /// Time from the signal to stop in which begun work is finished.
    pub drain: Duration,
    /// Name of this replica, where it was told.
    pub pod_name: Option<String>,
}

impl ProcessSettings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let service = reader.service();
        let port = || integer(0..=u16::MAX);
        let own_drain = Duration::from_secs(service.drain_seconds.into());
        let listen_address = reader.required(&TASKFLOW_LISTEN_ADDRESS, |value| value.parse().ok());
        let http_port = reader.required(&TASKFLOW_HTTP_PORT, port());
        let internal_port = service
            .internal_port
            .map(|_| reader.required(&TASKFLOW_INTERNAL_PORT, port()));
        let metrics_port = reader.required(&TASKFLOW_METRICS_PORT, port());
        let log = reader.required(&TASKFLOW_LOG, log_directives);
        let drain = reader.optional(&TASKFLOW_SHUTDOWN_DRAIN_SECONDS, seconds(1..=60));
        let pod_name = match service.consumer_group {
            Some(ConsumerGroup::PerReplica { .. }) => Some(reader.required(&TASKFLOW_POD_NAME, dns_label)?),
            _ => reader.optional(&TASKFLOW_POD_NAME, dns_label),
        };
        Some(Self {
            listen_address: listen_address?,
            http_port: http_port?,
            internal_port: match internal_port {
                Some(port) => Some(port?),
                None => None,
            },
            metrics_port: metrics_port?,
            log: log?,
            drain: drain.unwrap_or(own_drain),
            pod_name,
        })
    }
}

/// Where traces go, and what they say about where they come from.
#[derive(Clone, Debug)]
pub struct TelemetrySettings {
    /// Name of the service in traces.
    pub service_name: String,
    /// What else traces say about where they come from.
    pub resource_attributes: BTreeMap<String, String>,
    /// Collector that takes traces over OTLP/gRPC; none are sent without it.
    pub endpoint: Option<String>,
}

impl TelemetrySettings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let service_name = reader.optional(&OTEL_SERVICE_NAME, text);
        let resource_attributes = reader.optional(&OTEL_RESOURCE_ATTRIBUTES, key_value_pairs);
        let endpoint = reader.optional(&OTEL_EXPORTER_OTLP_ENDPOINT, http_address);
        Some(Self {
            service_name: service_name.unwrap_or_else(|| reader.service().app_id.to_owned()),
            resource_attributes: resource_attributes.unwrap_or_default(),
            endpoint,
        })
    }
}

/// Where people reach the application, without a closing slash. `None` when it is not told, or a problem is noted.
///
/// # Panics
/// When the service does not read it: a bug.
pub fn public_url(reader: &mut Reader) -> Option<String> {
    let without_path = |value: &str| https_address(value).filter(|url| url.matches('/').count() == 2);
    reader.optional(&TASKFLOW_PUBLIC_URL, without_path)
}

fn log_directives(value: &str) -> Option<String> {
    value.parse::<EnvFilter>().is_ok().then(|| value.to_owned())
}

fn dns_label(value: &str) -> Option<String> {
    let character = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let valid = (1..=63).contains(&value.len())
        && value.bytes().all(character)
        && !value.starts_with('-')
        && !value.ends_with('-');
    valid.then(|| value.to_owned())
}

fn key_value_pairs(value: &str) -> Option<BTreeMap<String, String>> {
    let pairs = value.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            (!key.trim().is_empty()).then(|| (key.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}
