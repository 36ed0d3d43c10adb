//! What this service is told besides what every service is.

use std::sync::Arc;

use catalogue::environment_variables::{TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY, TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY};
use event_bus::BusSettings;
use service_kit::{
    auth::{PublicKey, TokenSigner},
    config::{self, AccountSettings, Reader, TokenSettings},
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
    pub(crate) bus: BusSettings,
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
        let bus = config::either_bus(reader);
        Some(Self {
            tokens: tokens?,
            accounts: accounts.map(|_| signer)?,
            service_key: service_key?,
            bus: bus?,
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
