//! What this service is told besides what every service is.

use event_bus::BusSettings;
use service_kit::config::{self, Reader, TokenSettings};

/// The settings of dlq-monitor.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose tokens of operators are believed.
    pub(crate) tokens: TokenSettings,
    /// Where records come from and go to.
    pub(crate) bus: BusSettings,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let tokens = TokenSettings::read(reader, false);
        let bus = config::either_bus(reader);
        Some(Self {
            tokens: tokens?,
            bus: bus?,
        })
    }
}
