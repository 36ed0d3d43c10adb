//! How single values are spelled on the wire: their schemas, and serde for types of the domain.

use std::borrow::Cow;

use domain::{
    id::{TaskId, UserId},
    task::reminders::Reminder,
};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::attribute::{CorrelationId, Counter, EventId, Traceparent};

/// An instant, RFC 3339 in UTC.
pub(crate) struct Instant;
/// The local date and time of a wall clock, without offset or zone.
pub(crate) struct Local;
/// The number of a task.
pub(crate) struct TaskNumber;
/// The opaque name of a user.
pub(crate) struct UserName;
/// The number of an instance in its series.
pub(crate) struct Ordinal;
/// Seconds before a due time.
pub(crate) struct Lead;
/// A counter as the text of an attribute.
pub(crate) struct PaddedCounter;

macro_rules! schemas {
    ($($type:ident $schema:tt),+ $(,)?) => {
        $(
            impl JsonSchema for $type {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($type).into()
                }
                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
                fn inline_schema() -> bool {
                    true
                }
            }
        )+
    };
}

schemas!(
    CorrelationId { "type": "string", "pattern": "^[!-~]{1,128}$" },
    Counter { "type": "integer", "minimum": 1, "maximum": Counter::MAX },
    EventId {
        "type": "string",
        "format": "uuid",
        "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
    },
    Instant { "type": "string", "format": "date-time", "pattern": "Z$" },
    Lead { "type": "integer", "minimum": 0, "maximum": Reminder::MAX_BEFORE_DUE.as_secs() },
    Local { "type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?$" },
    Ordinal { "type": "integer", "minimum": 1, "maximum": u32::MAX },
    PaddedCounter { "type": "string", "pattern": "^[0-9]{16}$" },
    TaskNumber { "type": "integer", "minimum": 1, "maximum": TaskId::MAX },
    Traceparent { "type": "string", "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$" },
    UserName { "type": "string", "minLength": 1, "maxLength": UserId::MAX_CHARS },
);

/// 0000-01-01T00:00:00Z. RFC 3339 has no earlier instant, and PostgreSQL none before 4714 BC.
const FIRST_INSTANT: Timestamp = Timestamp::constant(-62_167_219_200, 0);

/// `#[serde(deserialize_with)]` for an instant.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let instant = Timestamp::deserialize(deserializer)?;
    if instant < FIRST_INSTANT {
        return Err(D::Error::custom("expected a year from 0000 to 9999"));
    }
    Ok(instant)
}

/// `#[serde(deserialize_with)]` for an instant that may be absent or `null`.
pub(crate) fn optional_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    #[derive(Deserialize)]
    struct Inner(#[serde(deserialize_with = "instant")] Timestamp);
    Ok(Option::<Inner>::deserialize(deserializer)?.map(|it| it.0))
}

/// `#[serde(with)]` for the number of a task.
pub(crate) mod task_id {
    use domain::id::TaskId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(crate) fn serialize<S: Serializer>(id: &TaskId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(id.get())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TaskId, D::Error> {
        TaskId::new(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// `#[serde(with)]` for the name of a user.
pub(crate) mod user_id {
    use domain::id::UserId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(id: &UserId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(id.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserId, D::Error> {
        UserId::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
