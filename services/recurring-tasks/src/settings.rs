//! What this service is told besides what every service is.

use catalogue::{
    Transport,
    environment_variables::{TASKFLOW_BUS, TASKFLOW_CHAT_API_INTERNAL_URL, TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY},
};
use event_bus::kafka;
use service_kit::{
    auth::TokenSigner,
    config::{self, DaprSettings, KafkaSecurity, Reader, SaslMechanism, http_address},
};

/// The settings of recurring-tasks.
#[derive(Debug)]
pub struct Settings {
    /// Where events come from.
    pub(crate) kafka: kafka::KafkaSettings,
    /// The internal port of chat-api, without a closing slash.
    pub(crate) chat_api_url: String,
    /// Signs what is shown to chat-api.
    pub(crate) signer: TokenSigner,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let transport = config::bus(reader);
        let kafka = transport.and_then(|transport| kafka(reader, transport));
        let direct = transport == Some(Transport::Kafka);
        let chat_api_url = reader.required_when(direct, &TASKFLOW_CHAT_API_INTERNAL_URL, |value| {
            http_address(value).filter(|url| url.matches('/').count() == 2)
        });
        let signer = reader.required(&TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY, |pem| {
            TokenSigner::from_ed25519_pem(pem).ok()
        });
        Some(Self {
            kafka: kafka?,
            chat_api_url: chat_api_url?,
            signer: signer?,
        })
    }
}

/// The way to the brokers.
fn kafka(reader: &mut Reader, transport: Transport) -> Option<kafka::KafkaSettings> {
    // Read whatever the transport is: what is wrong with them is told at once with the rest.
    let (settings, _dapr) = (
        config::KafkaSettings::read(reader, transport),
        DaprSettings::read(reader, transport),
    );
    if transport == Transport::Dapr {
        let reason = "is `dapr`, which this release does not speak; only `kafka` works";
        reader.refuse(&TASKFLOW_BUS, reason);
    }
    let config::KafkaSettings {
        brokers,
        prefix,
        security,
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
