//! Configuration: environment variables of the catalogue, read once at start into types that cannot be wrong.
//!
//! A [`Reader`] knows which variables the service may read, and collects every problem instead of stopping at the
//! first. Each concern has one struct here; a service adds its own with the same reader:
//!
//! ```
//! use catalogue::environment_variables::TASKFLOW_RETENTION_DAYS;
//! use service_kit::config::{Reader, integer};
//!
//! struct Settings {
//!     retention_days: u32,
//! }
//!
//! fn read(reader: &mut Reader) -> Option<Settings> {
//!     let retention_days = reader.required(&TASKFLOW_RETENTION_DAYS, integer(1..=3650));
//!     Some(Settings { retention_days: retention_days? })
//! }
//!
//! let mut reader = Reader::new(&catalogue::services::AUDIT, [("TASKFLOW_RETENTION_DAYS", "often")]);
//! let settings = read(&mut reader);
//! let Err(problems) = reader.finish(settings) else { panic!("`often` is no number") };
//! assert_eq!(
//!     problems.errors[0].to_string(),
//!     "`TASKFLOW_RETENTION_DAYS` must be integer, days, 1 to 3650; it is `often`",
//! );
//! ```

mod access;
mod bus;
mod database;
mod process;
mod reader;
mod secret;
mod values;

use catalogue::Service;

pub use access::{AccountSettings, LimitSettings, TokenSettings};
pub use bus::{DaprSettings, bus, either_bus, kafka, partitions};
pub use database::DatabaseSettings;
pub use process::{ProcessSettings, TelemetrySettings, public_url};
pub use reader::{InvalidConfiguration, Reader, UnknownVariable, VariableError};
pub use secret::Secret;
pub use values::{boolean, http_address, https_address, integer, one_of, readable_file, seconds, text};

/// What every service needs, whatever it does.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// Ports, log, name, time to stop.
    pub process: ProcessSettings,
    /// Where traces go.
    pub telemetry: TelemetrySettings,
    /// The database; present exactly when the service owns a schema.
    pub database: Option<DatabaseSettings>,
    /// How much it takes on at once.
    pub limits: LimitSettings,
}

impl ServiceSettings {
    /// Reads all of them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let service: &Service = reader.service();
        let owns_a_schema = service.schema.is_some();
        let process = ProcessSettings::read(reader);
        let telemetry = TelemetrySettings::read(reader);
        let limits = LimitSettings::read(reader);
        let database = owns_a_schema.then(|| DatabaseSettings::read(reader));
        Some(Self {
            process: process?,
            telemetry: telemetry?,
            database: match database {
                Some(database) => Some(database?),
                None => None,
            },
            limits: limits?,
        })
    }
}
