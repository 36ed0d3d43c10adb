//! Payloads as they travel: the `data` of an event. Every event holds in it all that a consumer needs to know.

use std::borrow::Cow;

use domain::id::{TaskId, UserId};
use domain::task::text::Title;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    attribute::CorrelationId,
    scalar::{self, Instant, TaskNumber, UserName},
    snapshot::TaskSnapshot,
    version::SchemaVersion,
};

/// What happened to a task, and the task after it.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct TaskPayload<'a> {
    /// The version of this payload.
    #[schemars(with = "String")]
    pub(crate) schema_version: SchemaVersion,
    /// What happened, as in the `type` of the envelope.
    pub(crate) event_type: Cow<'a, str>,
    /// The task.
    #[serde(with = "scalar::task_id")]
    #[schemars(with = "TaskNumber")]
    pub(crate) task_id: TaskId,
    /// Whose task it is.
    #[serde(with = "scalar::user_id")]
    #[schemars(with = "UserName")]
    pub(crate) user_id: UserId,
    /// When it happened.
    #[serde(deserialize_with = "scalar::instant")]
    #[schemars(with = "Instant")]
    pub(crate) timestamp: Timestamp,
    /// What ties together everything that one request caused.
    pub(crate) correlation_id: Cow<'a, CorrelationId>,
    /// The task after the change; after a deletion, as it last was, one version later.
    pub(crate) task_snapshot: Cow<'a, TaskSnapshot>,
}

/// A reminder that fell due.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct ReminderPayload<'a> {
    /// The version of this payload.
    #[schemars(with = "String")]
    pub(crate) schema_version: SchemaVersion,
    /// What happened, as in the `type` of the envelope.
    pub(crate) event_type: Cow<'a, str>,
    /// The task.
    #[serde(with = "scalar::task_id")]
    #[schemars(with = "TaskNumber")]
    pub(crate) task_id: TaskId,
    /// Whose task it is.
    #[serde(with = "scalar::user_id")]
    #[schemars(with = "UserName")]
    pub(crate) user_id: UserId,
    /// When the reminder was claimed for delivery.
    #[serde(deserialize_with = "scalar::instant")]
    #[schemars(with = "Instant")]
    pub(crate) timestamp: Timestamp,
    /// What ties together everything that one request caused.
    pub(crate) correlation_id: Cow<'a, CorrelationId>,
    /// The title of the task.
    #[schemars(length(min = 1, max = Title::MAX_CHARS))]
    pub(crate) title: Cow<'a, str>,
    /// When the task is due; absent when it has no due time.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "scalar::optional_instant"
    )]
    #[schemars(with = "Instant")]
    pub(crate) due_at: Option<Timestamp>,
    /// When the reminder was meant to be seen.
    #[serde(deserialize_with = "scalar::instant")]
    #[schemars(with = "Instant")]
    pub(crate) remind_at: Timestamp,
}
