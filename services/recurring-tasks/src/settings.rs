//! What this service is told besides what every service is.

use catalogue::environment_variables::{TASKFLOW_CHAT_API_INTERNAL_URL, TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY};
use event_bus::BusSettings;
use service_kit::{
    auth::TokenSigner,
    config::{self, Reader, http_address},
};

use crate::chat_api::Way;

/// The settings of recurring-tasks.
#[derive(Debug)]
pub struct Settings {
    /// Where events come from.
    pub(crate) bus: BusSettings,
    /// The way to chat-api: where there is a sidecar, through it.
    pub(crate) chat_api: Way,
    /// Signs what is shown to chat-api.
    pub(crate) signer: TokenSigner,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let bus = config::either_bus(reader);
        let address = |value: &str| http_address(value).filter(|url| url.matches('/').count() == 2);
        let url = match bus {
            Some(BusSettings::Direct(_)) => reader.required(&TASKFLOW_CHAT_API_INTERNAL_URL, address),
            // What is wrong with it is told with the rest; whether it is needed, nobody knows yet.
            None => reader.optional(&TASKFLOW_CHAT_API_INTERNAL_URL, address),
            Some(BusSettings::Sidecar(_)) => reader.required_when(false, &TASKFLOW_CHAT_API_INTERNAL_URL, address),
        };
        let chat_api = match &bus {
            Some(BusSettings::Sidecar(sidecar)) => Some(Way::through(sidecar)),
            _ => url.map(Way::direct),
        };
        let signer = reader.required(&TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY, |pem| {
            TokenSigner::from_ed25519_pem(pem).ok()
        });
        Some(Self {
            bus: bus?,
            chat_api: chat_api?,
            signer: signer?,
        })
    }
}
