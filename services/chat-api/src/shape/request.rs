//! What people say about a task: all of it at first, later only what changes.

use domain::{
    task::{
        Task,
        draft::{Patch, TaskDraft, TaskPatch},
        reminders::Reminders,
        tags::Tags,
        text::{Description, Title},
    },
    time::Zone,
};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{
    Due, Recurrence, Reminder,
    choices::Priority,
    invalid::InvalidFields,
    text::{DescriptionText, TagText, TitleText},
};

/// A task to be created.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTask {
    /// What is to be done. White space around it is taken off.
    #[schema(value_type = TitleText)]
    pub(crate) title: String,
    /// More about it: up to 200,000 bytes in UTF-8.
    #[serde(default)]
    #[schema(value_type = DescriptionText)]
    pub(crate) description: String,
    /// How much it matters.
    #[serde(default)]
    pub(crate) priority: Priority,
    /// What it is filed under. Upper and lower case are alike.
    #[serde(default)]
    #[schema(value_type = Vec<TagText>, max_items = 50)]
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
        let due = self.due.as_ref().and_then(|due| invalid.due(due));
        // What depends on a due time is not judged where that is wrong itself.
        let recurrence = self.recurrence.as_ref().filter(|_| due.is_some() == self.due.is_some());
        let recurrence = recurrence.and_then(|it| invalid.recurrence(it, due.as_ref(), user_zone));
        match (title, description, tags, reminders) {
            (Some(title), Some(description), Some(tags), Some(reminders)) if invalid.is_empty() => Ok(TaskDraft {
                title,
                description,
                priority: self.priority.into(),
                tags,
                due,
                reminders,
                recurrence,
            }),
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
    #[schema(value_type = TitleText, required = false)]
    pub(crate) title: Option<String>,
    /// A new description: up to 200,000 bytes in UTF-8.
    #[serde(default)]
    #[schema(value_type = Option<DescriptionText>)]
    pub(crate) description: Field<String>,
    /// A new priority.
    #[serde(default)]
    #[schema(value_type = Option<Priority>)]
    pub(crate) priority: Field<Priority>,
    /// All tags anew.
    #[serde(default)]
    #[schema(value_type = Option<Vec<TagText>>, max_items = 50)]
    pub(crate) tags: Field<Vec<String>>,
    /// Another due time. Alone, it moves this instance of a series; the next ones stay where the rule has them.
    #[serde(default)]
    #[schema(value_type = Option<Due>)]
    pub(crate) due: Field<Due>,
    /// All reminders anew.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Reminder>>, max_items = 20)]
    pub(crate) reminders: Field<Vec<Reminder>>,
    /// Another recurrence. Other dates begin a new series at the due time.
    #[serde(default)]
    #[schema(value_type = Option<Recurrence>)]
    pub(crate) recurrence: Field<Recurrence>,
}

impl TaskChanges {
    /// The domain's patch of this task, for a person who lives in this zone.
    pub(crate) fn to_domain(&self, task: &Task, user_zone: &Zone) -> Result<TaskPatch, InvalidFields> {
        let mut invalid = InvalidFields::default();
        let title = self.title.as_ref().and_then(|it| invalid.check(Title::new(it)));
        let description = self.description.or_empty();
        let description = description.and_then(|it| invalid.check(Description::new(&it)));
        let tags = self.tags.or_empty();
        let tags = tags.and_then(|it| invalid.check(Tags::new(it)));
        let reminders = self.reminders.or_empty();
        let reminders = reminders.map(|it| it.into_iter().map(Reminder::to_domain));
        let reminders = reminders.and_then(|it| invalid.check(Reminders::new(it)));
        let due = self.due.patch(|it| invalid.due(it));
        let mut recurrence = Patch::Keep;
        // What depends on a due time is not judged where that is wrong itself.
        if matches!(due, Patch::Set(_)) == matches!(self.due, Field::Value(_)) {
            let due = due.clone().apply(task.due.clone());
            recurrence = self
                .recurrence
                .patch(|it| invalid.recurrence(it, due.as_ref(), user_zone));
        }
        if !invalid.is_empty() {
            return Err(invalid);
        }
        Ok(TaskPatch {
            title,
            description,
            priority: self.priority.or_empty().map(Into::into),
            tags,
            due,
            reminders,
            recurrence,
        })
    }
}

/// A field of a merge patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// It stays.
    #[default]
    Absent,
    /// It is cleared.
    Null,
    /// It is set.
    Value(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Self::Null, Self::Value))
    }
}

impl<T: Clone + Default> Field<T> {
    /// The new value, of a field that is cleared by its empty one.
    fn or_empty(&self) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Null => Some(T::default()),
            Self::Value(value) => Some(value.clone()),
        }
    }
}

impl<T> Field<T> {
    /// What it does to a field that may be absent; nothing when the value cannot be read.
    fn patch<U>(&self, read: impl FnOnce(&T) -> Option<U>) -> Patch<U> {
        match self {
            Self::Absent => Patch::Keep,
            Self::Null => Patch::Clear,
            Self::Value(value) => read(value).map_or(Patch::Keep, Patch::Set),
        }
    }
}

/// Reads a field that cannot be cleared.
fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
