//! A task as its person sees it. Names and forms are those of the snapshot in its events.

use domain::task::Task;
use jiff::{Timestamp, civil::DateTime};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Due, Recurrence, Reminder,
    choices::{Priority, Status},
    scalar,
};

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct TaskView {
    /// Which task it is.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    id: i64,
    /// Whose it is.
    #[schema(min_length = 1, max_length = 255)]
    user_id: String,
    /// What is to be done.
    #[schema(min_length = 1, max_length = 500)]
    title: String,
    /// More about it; may be empty.
    #[schema(max_length = 200_000)]
    description: String,
    /// Whether it is still to be done.
    status: Status,
    /// How much it matters.
    priority: Priority,
    /// What it is filed under, sorted, each once.
    #[schema(max_items = 50)]
    tags: Vec<String>,
    /// When it is due.
    due: Option<Due>,
    /// When it asks for attention.
    #[schema(max_items = 20)]
    reminders: Vec<Reminder>,
    /// Which instance of which series it is; stays when the recurrence is taken off.
    series: Option<Series>,
    /// Whether and how it comes back.
    recurrence: Option<Recurrence>,
    /// 1 on creation, one more with every change; the `ETag` in other clothes.
    #[schema(minimum = 1)]
    version: i64,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When it was completed; there exactly while it is completed.
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
}

/// The place of a task in its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Series {
    /// The series.
    id: Uuid,
    /// The wall time that the rule meant for this instance; it stays when the instance is moved.
    #[schema(value_type = scalar::WallTime)]
    occurrence: DateTime,
    /// How much of COUNT is used up with this instance: 1 for the first.
    #[schema(minimum = 1)]
    ordinal: u32,
}

impl From<&Task> for TaskView {
    fn from(task: &Task) -> Self {
        Self {
            id: task.id.get(),
            user_id: task.user.as_str().to_owned(),
            title: task.title.as_str().to_owned(),
            description: task.description.as_str().to_owned(),
            status: task.status.into(),
            priority: task.priority.into(),
            tags: task.tags.as_slice().iter().map(ToString::to_string).collect(),
            due: task.due.as_ref().map(Due::from),
            reminders: task.reminders.as_slice().iter().map(Reminder::from).collect(),
            series: task.series.map(|it| Series {
                id: it.series.get(),
                occurrence: it.occurrence.key.get(),
                ordinal: it.occurrence.ordinal,
            }),
            recurrence: task.recurrence.as_ref().map(Recurrence::from),
            version: task.version,
            created_at: task.created_at,
            updated_at: task.updated_at,
            completed_at: task.completed_at,
        }
    }
}
