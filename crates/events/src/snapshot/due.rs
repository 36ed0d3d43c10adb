//! Due times and reminders of a snapshot.

use std::time::Duration;

use domain::{task::reminders, time, time::Zone};
use jiff::{Timestamp, civil::DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::POINTER;
use crate::{
    parse_error::Misfit,
    scalar::{Instant, Lead, Local},
};

/// When a task is due, in one of three kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Due {
    /// A moment, whatever clocks show.
    Instant {
        /// The moment, in whole seconds.
        #[schemars(with = "Instant")]
        at: Timestamp,
    },
    /// A wall time in a fixed place.
    Zoned {
        /// What the clocks there show, in whole seconds.
        #[schemars(with = "Local")]
        local: DateTime,
        /// IANA name of the time zone.
        zone: String,
    },
    /// A wall time wherever the user is.
    Floating {
        /// What the clocks there show, in whole seconds.
        #[schemars(with = "Local")]
        local: DateTime,
    },
}

/// When a task asks for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reminder {
    /// At a moment, whatever the due time is.
    Instant {
        /// The moment, in whole seconds.
        #[schemars(with = "Instant")]
        at: Timestamp,
    },
    /// A while before the due time.
    BeforeDue {
        /// How long before. Whole days are counted on the calendar, the rest by the clock.
        #[schemars(with = "Lead")]
        seconds: u64,
    },
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

impl Due {
    pub(super) fn to_domain(&self) -> Result<time::Due, Misfit> {
        let due = match self {
            Self::Instant { at } => time::Due::Instant(*at),
            Self::Zoned { local, zone } => time::Due::Zoned {
                local: *local,
                zone: Zone::new(zone).map_err(|error| Misfit::new(format!("{POINTER}/due/zone"), error))?,
            },
            Self::Floating { local } => time::Due::Floating(*local),
        };
        due.checked().map_err(super::misfit)
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

impl Reminder {
    pub(super) fn to_domain(self) -> reminders::Reminder {
        match self {
            Self::Instant { at } => reminders::Reminder::At(at),
            Self::BeforeDue { seconds } => reminders::Reminder::BeforeDue(Duration::from_secs(seconds)),
        }
    }
}
