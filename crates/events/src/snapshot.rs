//! A task as it travels: the twin of [`domain::task::Task`], with conversions both ways.
//!
//! The schema states the limits of the domain, so that changing a limit shows as a change of the contract. Reading a
//! snapshot checks its form only; [`TaskSnapshot::to_domain`] checks the limits too. A service that only passes a task
//! on does not refuse one that was fine when it was written.

mod due;
mod recurrence;

use domain::{
    id::{TaskId, UserId},
    task::{
        Task, choices,
        problem::{FieldProblem, Problems},
        reminders::Reminders,
        tags::{Tag, Tags},
        text::{Description, Title},
    },
    time::Zone,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    attribute::{Counter, InvalidAttribute},
    parse_error::{Misfit, ParseError},
    scalar::{self, Instant, TaskNumber, UserName},
};
pub use due::{Due, Reminder};
pub use recurrence::{Basis, CatchUp, MonthEnd, Recurrence, Series};

/// Where the snapshot stands in an event.
const POINTER: &str = "/data/task_snapshot";

/// The task after the change; after a deletion, as it last was, one version later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskSnapshot {
    /// Which task it is.
    #[serde(with = "scalar::task_id")]
    #[schemars(with = "TaskNumber")]
    pub id: TaskId,
    /// Whose it is.
    #[serde(with = "scalar::user_id")]
    #[schemars(with = "UserName")]
    pub user_id: UserId,
    /// What is to be done.
    #[schemars(length(min = 1, max = Title::MAX_CHARS))]
    pub title: String,
    /// More about it; may be empty. The limit is in bytes of UTF-8.
    #[schemars(length(max = Description::MAX_BYTES))]
    pub description: String,
    /// Whether it is still to be done.
    pub status: Status,
    /// How much it matters.
    pub priority: Priority,
    /// What it is filed under, sorted, each once.
    #[schemars(length(max = Tags::MAX), inner(length(min = 1, max = Tag::MAX_CHARS)))]
    pub tags: Vec<String>,
    /// When it is due; absent when it has no due time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Due")]
    pub due: Option<Due>,
    /// IANA name of the time zone in which the user lived when the change was made: floating times are meant there.
    pub time_zone: String,
    /// When it asks for attention.
    #[schemars(length(max = Reminders::MAX))]
    pub reminders: Vec<Reminder>,
    /// Which instance of which series it is; absent when it never recurred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Series")]
    pub series: Option<Series>,
    /// How the series goes on; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Recurrence")]
    pub recurrence: Option<Recurrence>,
    /// 1 on creation, one more with every change.
    pub version: Counter,
    /// When it was created.
    #[serde(deserialize_with = "scalar::instant")]
    #[schemars(with = "Instant")]
    pub created_at: Timestamp,
    /// When it last changed.
    #[serde(deserialize_with = "scalar::instant")]
    #[schemars(with = "Instant")]
    pub updated_at: Timestamp,
    /// When it was completed; absent while it is open.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "scalar::optional_instant"
    )]
    #[schemars(with = "Instant")]
    pub completed_at: Option<Timestamp>,
}

/// Whether a task is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To be done.
    Open,
    /// Done.
    Completed,
}

/// How much a task matters, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Nobody said.
    None,
    /// Can wait.
    Low,
    /// Matters.
    Medium,
    /// Matters much.
    High,
    /// Now.
    Urgent,
}

impl TaskSnapshot {
    /// The task of a user who lives in `user_zone`.
    ///
    /// Fails for a version that is no [`Counter`].
    pub fn new(task: &Task, user_zone: &Zone) -> Result<Self, InvalidAttribute> {
        Ok(Self {
            id: task.id,
            user_id: task.user.clone(),
            title: task.title.as_str().to_owned(),
            description: task.description.as_str().to_owned(),
            status: task.status.into(),
            priority: task.priority.into(),
            tags: task.tags.as_slice().iter().map(ToString::to_string).collect(),
            due: task.due.as_ref().map(Due::from),
            time_zone: user_zone.name().to_owned(),
            reminders: task.reminders.as_slice().iter().map(Reminder::from).collect(),
            series: task.series.map(Series::from),
            recurrence: task.recurrence.as_ref().map(Recurrence::from),
            version: Counter::new(task.version)?,
            created_at: task.created_at,
            updated_at: task.updated_at,
            completed_at: task.completed_at,
        })
    }

    /// The task of the domain.
    ///
    /// # Errors
    ///
    /// [`ParseError::PayloadInvalid`] when the domain refuses a value.
    pub fn to_domain(&self) -> Result<Task, ParseError> {
        self.checked().map_err(ParseError::PayloadInvalid)
    }

    /// The zone in which floating times are meant.
    ///
    /// # Errors
    ///
    /// [`ParseError::PayloadInvalid`] when no zone has this name.
    pub fn user_zone(&self) -> Result<Zone, ParseError> {
        let misfit = |error| Misfit::new(format!("{POINTER}/time_zone"), error);
        Zone::new(&self.time_zone).map_err(|error| ParseError::PayloadInvalid(misfit(error)))
    }

    fn checked(&self) -> Result<Task, Misfit> {
        Ok(Task {
            id: self.id,
            user: self.user_id.clone(),
            title: Title::new(&self.title).map_err(misfit)?,
            description: Description::new(&self.description).map_err(misfit)?,
            status: self.status.into(),
            priority: self.priority.into(),
            tags: Tags::new(&self.tags).map_err(misfit)?,
            due: self.due.as_ref().map(Due::to_domain).transpose()?,
            reminders: Reminders::new(self.reminders.iter().copied().map(Reminder::to_domain)).map_err(misfit)?,
            series: self.series.map(Series::to_domain).transpose()?,
            recurrence: self.recurrence.as_ref().map(Recurrence::to_domain).transpose()?,
            version: self.version.get(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            completed_at: self.completed_at,
        })
    }
}

/// The first problem; the domain names its place with a pointer into the task, whose fields have the same names here.
fn misfit(problems: impl Into<Problems>) -> Misfit {
    let problems = problems.into();
    let first: &FieldProblem = problems.iter().next().expect("a refusal has a problem");
    Misfit::new(format!("{POINTER}{}", first.field), &first.message)
}

/// Pairs the variants of an enum with those of its twin in the domain; a variant that one side lacks does not compile.
macro_rules! twins {
    ($wire:ty, $domain:ty: $($variant:ident),+) => {
        impl From<$domain> for $wire {
            fn from(value: $domain) -> Self {
                match value { $(<$domain>::$variant => Self::$variant),+ }
            }
        }
        impl From<$wire> for $domain {
            fn from(value: $wire) -> Self {
                match value { $(<$wire>::$variant => Self::$variant),+ }
            }
        }
    };
}
use twins;

twins!(Status, choices::Status: Open, Completed);
twins!(Priority, choices::Priority: None, Low, Medium, High, Urgent);
