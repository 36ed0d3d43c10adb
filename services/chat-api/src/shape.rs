//! The JSON form of what has no columns of its own: due times, reminders, recurrences. The same at the API, in `jsonb`,
//! and, field for field, in events.

pub(crate) mod choices;
pub(crate) mod invalid;
pub(crate) mod language;
pub(crate) mod recurrence;
pub(crate) mod request;
pub(crate) mod scalar;
pub(crate) mod snooze;
pub(crate) mod task;
pub(crate) mod text;

use std::time::Duration;

use domain::{
    task::reminders,
    time::{self, UnknownZone, Zone},
};
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use recurrence::Recurrence;

/// When a task is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Due {
    /// The same instant everywhere.
    Instant {
        /// The instant, in whole seconds.
        #[serde(deserialize_with = "scalar::instant")]
        #[schema(value_type = scalar::InstantText)]
        at: Timestamp,
    },
    /// A wall time in a zone: stays what the clocks there show.
    Zoned {
        /// The wall time, without an offset, in whole seconds.
        #[serde(deserialize_with = "scalar::wall_time")]
        #[schema(value_type = scalar::WallTime)]
        local: DateTime,
        /// IANA name of the zone.
        #[schema(value_type = text::ZoneName)]
        zone: String,
    },
    /// A wall time that goes where its person goes.
    Floating {
        /// The wall time, without an offset, in whole seconds.
        #[serde(deserialize_with = "scalar::wall_time")]
        #[schema(value_type = scalar::WallTime)]
        local: DateTime,
    },
}

impl Due {
    /// The domain's due time, which is not checked yet.
    ///
    /// # Errors
    /// When nobody knows the zone.
    pub(crate) fn to_domain(&self) -> Result<time::Due, UnknownZone> {
        Ok(match self {
            Self::Instant { at } => time::Due::Instant(*at),
            Self::Zoned { local, zone } => time::Due::Zoned {
                local: *local,
                zone: Zone::new(zone)?,
            },
            Self::Floating { local } => time::Due::Floating(*local),
        })
    }
}

impl From<&time::Due> for Due {
    fn from(due: &time::Due) -> Self {
        match due {
            time::Due::Instant(at) => Self::Instant { at: *at },
            time::Due::Zoned { local, zone } => Self::Zoned {
                local: *local,
                zone: zone.name().to_owned(),
            },
            time::Due::Floating(local) => Self::Floating { local: *local },
        }
    }
}

/// When a task asks for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Reminder {
    /// At an instant.
    Instant {
        /// The instant, in whole seconds.
        #[serde(deserialize_with = "scalar::instant")]
        #[schema(value_type = scalar::InstantText)]
        at: Timestamp,
    },
    /// A time before the task is due.
    BeforeDue {
        /// Seconds, up to 366 days. Whole days are counted on the calendar.
        #[schema(maximum = 31_622_400)]
        seconds: u64,
    },
}

impl Reminder {
    pub(crate) fn to_domain(self) -> reminders::Reminder {
        match self {
            Self::Instant { at } => reminders::Reminder::At(at),
            Self::BeforeDue { seconds } => reminders::Reminder::BeforeDue(Duration::from_secs(seconds)),
        }
    }
}

impl From<&reminders::Reminder> for Reminder {
    fn from(reminder: &reminders::Reminder) -> Self {
        match reminder {
            reminders::Reminder::At(at) => Self::Instant { at: *at },
            reminders::Reminder::BeforeDue(lead) => Self::BeforeDue {
                seconds: lead.as_secs(),
            },
        }
    }
}
