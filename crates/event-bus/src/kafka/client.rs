//! What a producer and a consumer have in common: their settings, their log.

use kafka_settings::{KafkaSettings, Security};
use rdkafka::{ClientConfig, ClientContext, config::RDKafkaLogLevel, error::KafkaError};

/// A client that could not be made: a setting is wrong, or a file is not there. Brokers need not be reachable for it.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Of the brokers.
    #[error("could not make a Kafka client")]
    Kafka(#[from] KafkaError),
    /// Of the sidecar.
    #[error("could not make a client for the sidecar")]
    Sidecar(#[from] reqwest::Error),
}

/// What every client is configured with.
pub(super) fn config(settings: &KafkaSettings, app_id: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", app_id)
        .set("socket.keepalive.enable", "true")
        // A broker that restarts is away for seconds; the default waits up to ten.
        .set("reconnect.backoff.max.ms", "1000")
        .set("log.connection.close", "false")
        .set_log_level(RDKafkaLogLevel::Info);
    secure(&mut config, &settings.security);
    config
}

fn secure(config: &mut ClientConfig, security: &Security) {
    let ca_file = match security {
        Security::Plaintext => {
            config.set("security.protocol", "plaintext");
            return;
        }
        Security::Tls {
            ca_file,
            certificate_file,
            key_file,
        } => {
            config
                .set("security.protocol", "ssl")
                .set("ssl.certificate.location", certificate_file.to_string_lossy())
                .set("ssl.key.location", key_file.to_string_lossy());
            ca_file
        }
        Security::SaslTls {
            ca_file,
            mechanism,
            username,
            password,
        } => {
            config
                .set("security.protocol", "sasl_ssl")
                .set("sasl.mechanism", mechanism.as_str())
                .set("sasl.username", username)
                .set("sasl.password", &password.0);
            ca_file
        }
    };
    // `probe` looks where distributions keep their authorities.
    let authorities = ca_file.as_ref().map_or("probe".into(), |file| file.to_string_lossy());
    config.set("ssl.ca.location", authorities);
}

/// The side of a client that librdkafka calls.
pub(super) struct Client;

impl ClientContext for Client {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log_error(&error, reason);
    }
}

/// Writes an error that belongs to no single record to our log.
pub(super) fn log_error(error: &KafkaError, reason: &str) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        reason,
        "kafka client is in trouble"
    );
}

/// Writes a line of librdkafka to our log. It retries by itself, so nothing that it says asks anybody to act.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        // That a setting is experimental or without use here: ours are chosen, and told again for every client.
        _ if facility == "CONFWARN" => tracing::debug!("kafka client: {line}"),
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning => tracing::warn!(kafka.facility = facility, "kafka client: {line}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
            tracing::debug!(kafka.facility = facility, "kafka client: {line}");
        }
    }
}
