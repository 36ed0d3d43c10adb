//! What this service is told besides what every service is.

use std::sync::Arc;

use catalogue::{
    Transport,
    environment_variables::{TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY, TASKFLOW_BUS, TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY},
    topics,
};
use event_bus::kafka;
use service_kit::{
    auth::{PublicKey, TokenSigner},
    config::{self, AccountSettings, DaprSettings, KafkaSecurity, Reader, SaslMechanism, TokenSettings},
};

/// The settings of chat-api.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose tokens of people are believed.
    pub(crate) tokens: TokenSettings,
    /// Signs the tokens of built-in accounts, where they are on.
    pub(crate) accounts: Option<Arc<TokenSigner>>,
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
        let signer = accounts.iter().flatten().find_map(|it| signer(reader, it));
        let service_key = reader.required(&TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY, |pem| {
            PublicKey::from_ed25519_pem(pem).ok()
        });
        let public_url = config::public_url(reader);
        let kafka = kafka(reader);
        Some(Self {
            tokens: tokens?,
            accounts: accounts.map(|_| signer)?,
            service_key: service_key?,
            kafka: kafka?,
            public_url,
        })
    }
}

/// The signer of built-in accounts.
fn signer(reader: &mut Reader, accounts: &AccountSettings) -> Option<Arc<TokenSigner>> {
    let signer = TokenSigner::from_ed25519_pem(accounts.private_key.expose()).ok();
    if signer.is_none() {
        let variable = &TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY;
        reader.refuse(
            variable,
            format!("must be {}; it is not, and is not shown", variable.format),
        );
    }
    signer.map(Arc::new)
}

/// The way to the brokers. The Dapr transport is refused as long as there is no adapter for it.
fn kafka(reader: &mut Reader) -> Option<kafka::KafkaSettings> {
    let transport = config::bus(reader)?;
    // Read in any case, so that what is wrong with them is told with the rest.
    let _ = DaprSettings::read(reader, transport);
    for topic in [topics::TASK_EVENTS, topics::REMINDERS] {
        let _ = config::partitions(reader, topic);
    }
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

#[cfg(test)]
mod tests {
    use catalogue::services::CHAT_API;
    use service_kit::config::ServiceSettings;
    use test_kit::keys;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Vec<&'static str>, Vec<String>) {
        let public_key = keys::ed25519().public;
        let usual = [
            ("TASKFLOW_DATABASE_URL", "postgres://chat@localhost/taskflow"),
            ("TASKFLOW_BUS", "kafka"),
            ("TASKFLOW_KAFKA_BROKERS", "localhost:9092"),
            ("TASKFLOW_OIDC_ISSUER", "https://issuer.example"),
            ("TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY", &public_key),
        ];
        let mut reader = Reader::new(&CHAT_API, usual.iter().chain(variables).copied());
        let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
        let unread = reader.unread();
        let errors = match reader.finish(settings) {
            Ok(_) => Vec::new(),
            Err(invalid) => invalid.errors.iter().map(ToString::to_string).collect(),
        };
        (unread, errors)
    }

    #[test]
    fn every_variable_of_the_catalogue_is_read_whatever_is_chosen() {
        let accounts = ("TASKFLOW_BUILTIN_ACCOUNTS", "true");
        let private_key = keys::ed25519().private;
        let key = ("TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY", private_key.as_str());
        for chosen in [&[][..], &[accounts, key], &[("TASKFLOW_BUS", "dapr")]] {
            assert_eq!(read(chosen).0, Vec::<&str>::new(), "{chosen:?}");
        }
        assert_eq!(read(&[]).1, Vec::<String>::new());
    }

    #[test]
    fn a_key_that_is_none_is_named_and_not_shown() {
        let errors = read(&[("TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY", "not a key")]).1;
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0].starts_with("`TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY` must be"),
            "{errors:?}"
        );
        let wrong = [
            ("TASKFLOW_BUILTIN_ACCOUNTS", "true"),
            ("TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY", "not a key"),
        ];
        let errors = read(&wrong).1;
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(!errors[0].contains("not a key"), "{errors:?}");
    }
}
