//! What people say about a task: all of it at first, later only what changes.

use domain::{
    task::{
        Task, choices,
        draft::{Patch, TaskDraft, TaskPatch},
        reminders::Reminders,
        tags::Tags,
        text::{Description, Title},
    },
    time::Zone,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{Due, Recurrence, Reminder, choices::Priority, invalid::InvalidFields};

/// A task to be created.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTask {
    /// What is to be done. White space around it is taken off.
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", example = "Pay the rent")]
    pub(crate) title: String,
    /// More about it: up to 200,000 bytes in UTF-8.
    #[serde(default)]
    #[schema(max_length = 200_000)]
    pub(crate) description: String,
    /// How much it matters.
    #[serde(default)]
    pub(crate) priority: Priority,
    /// What it is filed under. Upper and lower case are alike.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub(crate) tags: Vec<String>,
    /// When it is due.
    #[serde(default)]
    pub(crate) due: Option<Due>,
    /// When it asks for attention.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(crate) reminders: Vec<Reminder>,
    /// Whether and how it comes back; needs a due time.
    #[serde(default)]
    pub(crate) recurrence: Option<Recurrence>,
}

impl NewTask {
    /// The domain's draft, for a person who lives in this zone.
    pub(crate) fn to_domain(&self, user_zone: &Zone) -> Result<TaskDraft, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let title = invalid.check(Title::new(&self.title));
        let description = invalid.check(Description::new(&self.description));
        let tags = invalid.check(Tags::new(&self.tags));
        let reminders = invalid.check(Reminders::new(self.reminders.iter().map(|it| it.to_domain())));
        // What depends on a due time is not judged where that is wrong itself.
        let due = optional(self.due.as_ref(), |due| invalid.due(due));
        let recurrence = due.as_ref().and_then(|due| {
            let recurrence = self.recurrence.as_ref();
            optional(recurrence, |it| invalid.recurrence(it, due.as_ref(), user_zone))
        });
        match (title, description, tags, due, reminders, recurrence) {
            (Some(title), Some(description), Some(tags), Some(due), Some(reminders), Some(recurrence)) => {
                Ok(TaskDraft {
                    title,
                    description,
                    priority: self.priority.into(),
                    tags,
                    due,
                    reminders,
                    recurrence,
                })
            }
            _ => Err(invalid),
        }
    }
}

/// What changes of a task (a JSON merge patch, RFC 7396): a field that is absent stays, `null` clears it. Due time,
/// reminders and recurrence are given whole.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskChanges {
    /// A new title.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(min_length = 1, max_length = 500, pattern = r"\S", nullable = false)]
    pub(crate) title: Option<String>,
    /// A new description: up to 200,000 bytes in UTF-8.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 200_000)]
    pub(crate) description: Option<Option<String>>,
    /// A new priority.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Priority>)]
    pub(crate) priority: Option<Option<Priority>>,
    /// All tags anew.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub(crate) tags: Option<Option<Vec<String>>>,
    /// Another due time. Alone, it moves this instance of a series; the next ones stay where the rule has them.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Due>)]
    pub(crate) due: Option<Option<Due>>,
    /// All reminders anew.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Reminder>>, max_items = 20)]
    pub(crate) reminders: Option<Option<Vec<Reminder>>>,
    /// Another recurrence. Other dates begin a new series at the due time.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Recurrence>)]
    pub(crate) recurrence: Option<Option<Recurrence>>,
}

impl TaskChanges {
    /// The domain's patch of this task, for a person who lives in this zone.
    pub(crate) fn to_domain(&self, task: &Task, user_zone: &Zone) -> Result<TaskPatch, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let title = optional(self.title.as_ref(), |it| invalid.check(Title::new(it)));
        let description = optional(self.description.as_ref(), |it| {
            invalid.check(Description::new(it.as_deref().unwrap_or_default()))
        });
        let tags = optional(self.tags.as_ref(), |it| {
            invalid.check(Tags::new(it.as_deref().unwrap_or_default()))
        });
        let reminders = optional(self.reminders.as_ref(), |it| {
            let reminders = it.as_deref().unwrap_or_default().iter();
            invalid.check(Reminders::new(reminders.map(|it| it.to_domain())))
        });
        let due = patch(self.due.as_ref(), |it| invalid.due(it));
        let recurrence = due.as_ref().and_then(|due| {
            let due = due.clone().apply(task.due.clone());
            patch(self.recurrence.as_ref(), |it| {
                invalid.recurrence(it, due.as_ref(), user_zone)
            })
        });
        match (title, description, tags, due, reminders, recurrence) {
            (Some(title), Some(description), Some(tags), Some(due), Some(reminders), Some(recurrence)) => {
                Ok(TaskPatch {
                    title,
                    description,
                    priority: self.priority.map(|it| it.map_or(choices::Priority::None, Into::into)),
                    tags,
                    due,
                    reminders,
                    recurrence,
                })
            }
            _ => Err(invalid),
        }
    }
}

/// Reads a field that is there: `null` is a value of its own.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Reads a field that cannot be cleared.
fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads what is there; `None` when that is wrong.
fn optional<T, U>(value: Option<&T>, read: impl FnOnce(&T) -> Option<U>) -> Option<Option<U>> {
    match value {
        Some(value) => read(value).map(Some),
        None => Some(None),
    }
}

/// As [`optional`], of a field that may be cleared.
fn patch<T, U>(value: Option<&Option<T>>, read: impl FnOnce(&T) -> Option<U>) -> Option<Patch<U>> {
    match value {
        Some(Some(value)) => read(value).map(Patch::Set),
        Some(None) => Some(Patch::Clear),
        None => Some(Patch::Keep),
    }
}
