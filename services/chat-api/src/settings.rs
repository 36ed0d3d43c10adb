//! What this service is told besides what every service is.

use catalogue::{
    Transport,
    environment_variables::{TASKFLOW_BUS, TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY},
    topics,
};
use event_bus::kafka;
use service_kit::{
    auth::PublicKey,
    config::{self, AccountSettings, DaprSettings, KafkaSecurity, Reader, SaslMechanism, TokenSettings},
};

/// The settings of chat-api.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose tokens of people are believed.
    pub(crate) tokens: TokenSettings,
    /// Built-in accounts, where they are on.
    pub(crate) accounts: Option<AccountSettings>,
    /// Checks the tokens of other services.
    pub(crate) service_key: PublicKey,
    /// Where events go.
    pub(crate) kafka: kafka::KafkaSettings,
    /// Where people reach the application: the one origin whose pages may call.
    pub(crate) public_url: Option<String>,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let accounts = AccountSettings::read(reader);
        let tokens = TokenSettings::read(reader, matches!(accounts, Some(Some(_))));
        let service_key = reader.required(&TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY, |pem| {
            PublicKey::from_ed25519_pem(pem).ok()
        });
        let public_url = config::public_url(reader);
        let kafka = kafka(reader);
        Some(Self {
            tokens: tokens?,
            accounts: accounts?,
            service_key: service_key?,
            kafka: kafka?,
            public_url,
        })
    }
}

/// The way to the brokers. The Dapr transport is refused as long as there is no adapter for it.
fn kafka(reader: &mut Reader) -> Option<kafka::KafkaSettings> {
    let transport = config::bus(reader)?;
    // Read in any case, so that what is wrong with them is told at once with the rest.
    let _ = (
        DaprSettings::read(reader, transport),
        config::partitions(reader, topics::TASK_EVENTS),
    );
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
