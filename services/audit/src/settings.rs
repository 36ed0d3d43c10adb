//! What this service is told besides what every service is.

use catalogue::{
    Transport,
    environment_variables::{TASKFLOW_BUS, TASKFLOW_RETENTION_DAYS},
};
use event_bus::kafka;
use service_kit::config::{self, DaprSettings, KafkaSecurity, Reader, SaslMechanism, TokenSettings, integer};

use crate::retention::Retention;

/// The settings of audit.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose tokens of people are believed.
    pub(crate) tokens: TokenSettings,
    /// Where events come from.
    pub(crate) kafka: kafka::KafkaSettings,
    /// How long days are kept.
    pub(crate) retention: Retention,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let tokens = TokenSettings::read(reader, false);
        let kafka = kafka(reader);
        let days = reader.required(&TASKFLOW_RETENTION_DAYS, integer(1..=3650));
        Some(Self {
            tokens: tokens?,
            kafka: kafka?,
            retention: Retention::days(days?),
        })
    }
}

/// The way to the brokers. The Dapr transport is refused as long as there is no adapter for it.
fn kafka(reader: &mut Reader) -> Option<kafka::KafkaSettings> {
    let transport = config::bus(reader)?;
    // Read in any case, so that what is wrong with them is told at once with the rest.
    let _ = DaprSettings::read(reader, transport);
    let settings = config::KafkaSettings::read(reader, transport);
    if transport == Transport::Dapr {
        reader.refuse(
            &TASKFLOW_BUS,
            "is `dapr`, which this release does not speak yet; only `kafka` works",
        );
    }
    let config::KafkaSettings {
        brokers,
        security,
        prefix,
    } = settings?;
    Some(kafka::KafkaSettings {
        brokers,
        security: protection(security),
        prefix: prefix.unwrap_or_default(),
    })
}

/// What was read, in the words of the transport.
fn protection(security: KafkaSecurity) -> kafka::Security {
    match security {
        KafkaSecurity::Plaintext => kafka::Security::Plaintext,
        KafkaSecurity::Tls { ca_file, client } => kafka::Security::Tls {
            ca_file,
            certificate_file: client.certificate,
            key_file: client.key,
        },
        KafkaSecurity::SaslTls {
            ca_file,
            mechanism,
            username,
            password,
        } => kafka::Security::SaslTls {
            ca_file,
            mechanism: match mechanism {
                SaslMechanism::ScramSha256 => kafka::SaslMechanism::ScramSha256,
                SaslMechanism::ScramSha512 => kafka::SaslMechanism::ScramSha512,
                SaslMechanism::Plain => kafka::SaslMechanism::Plain,
            },
            username,
            password: kafka::Password(password.expose().to_owned()),
        },
    }
}
