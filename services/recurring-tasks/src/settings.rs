//! What this service is told besides what every service is.

use catalogue::environment_variables::{TASKFLOW_CHAT_API_INTERNAL_URL, TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY};
use event_bus::BusSettings;
use service_kit::{
    auth::TokenSigner,
    config::{self, Reader, http_address},
};

/// The settings of recurring-tasks.
#[derive(Debug)]
pub struct Settings {
    /// Where events come from.
    pub(crate) bus: BusSettings,
    /// The internal port of chat-api, without a closing slash.
    pub(crate) chat_api_url: String,
    /// Signs what is shown to chat-api.
    pub(crate) signer: TokenSigner,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let bus = config::either_bus(reader);
        let chat_api_url = reader.required(&TASKFLOW_CHAT_API_INTERNAL_URL, |value| {
            http_address(value).filter(|url| url.matches('/').count() == 2)
        });
        let signer = reader.required(&TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY, |pem| {
            TokenSigner::from_ed25519_pem(pem).ok()
        });
        Some(Self {
            bus: bus?,
            chat_api_url: chat_api_url?,
            signer: signer?,
        })
    }
}
