//! What a user says about a task: all of it at first, later only what changes.

use super::choices::Priority;
use super::reminders::Reminders;
use super::tags::Tags;
use super::text::{Description, Title};
use crate::recurrence::Recurrence;
use crate::time::Due;

/// A task to be created.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskDraft {
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Description,
    /// How much it matters.
    pub priority: Priority,
    /// What it is filed under.
    pub tags: Tags,
    /// When it is due.
    pub due: Option<Due>,
    /// When it asks for attention.
    pub reminders: Reminders,
    /// Whether and how it comes back.
    pub recurrence: Option<Recurrence>,
}

impl TaskDraft {
    /// A draft with a title and nothing else.
    pub fn new(title: Title) -> Self {
        Self {
            title,
            description: Description::default(),
            priority: Priority::default(),
            tags: Tags::default(),
            due: None,
            reminders: Reminders::default(),
            recurrence: None,
        }
    }
}

/// A change of a task. What is `None` or [`Patch::Keep`] stays; description, priority, tags and reminders are cleared by
/// their empty value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskPatch {
    /// A new title.
    pub title: Option<Title>,
    /// A new description.
    pub description: Option<Description>,
    /// A new priority.
    pub priority: Option<Priority>,
    /// All tags anew.
    pub tags: Option<Tags>,
    /// Another due time, or none. Alone, it moves this instance of a series; the next ones stay where the rule has them,
    /// in the kind and zone of this due time.
    pub due: Patch<Due>,
    /// All reminders anew.
    pub reminders: Option<Reminders>,
    /// Another recurrence, or none. Its anchor is the wall time of the due time after the patch.
    ///
    /// Other dates begin a new series there. The same rule with the same due time changes nothing but the terms beside
    /// it, and the series keeps the anchor that it has.
    pub recurrence: Patch<Recurrence>,
}

/// What a patch does to a field that may be absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leaves it.
    #[default]
    Keep,
    /// Removes it.
    Clear,
    /// Sets it.
    Set(T),
}

impl<T> Patch<T> {
    /// The field after the patch.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}
