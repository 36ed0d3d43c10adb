//! What this service is told besides what every service is.

use catalogue::environment_variables::TASKFLOW_RETENTION_DAYS;
use event_bus::BusSettings;
use service_kit::config::{self, Reader, TokenSettings, integer};

use crate::retention::Retention;

/// The settings of audit.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose tokens of people are believed.
    pub(crate) tokens: TokenSettings,
    /// Where events come from.
    pub(crate) bus: BusSettings,
    /// How long days are kept.
    pub(crate) retention: Retention,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let tokens = TokenSettings::read(reader, false);
        let bus = config::either_bus(reader);
        let days = reader.required(&TASKFLOW_RETENTION_DAYS, integer(1..=3650));
        Some(Self {
            tokens: tokens?,
            bus: bus?,
            retention: Retention::days(days?),
        })
    }
}
