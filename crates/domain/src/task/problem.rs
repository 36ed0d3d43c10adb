//! What is wrong with the fields of a task: collected, so that a person sees all of it at once.

use std::fmt;

/// A field of a task, as a draft or patch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// `/title`
    Title,
    /// `/description`
    Description,
    /// `/status`
    Status,
    /// `/priority`
    Priority,
    /// `/tags`: the list as a whole.
    Tags,
    /// `/tags/…`: the tag at this place, counted from 0.
    Tag(usize),
    /// `/due`
    Due,
    /// `/reminders`: the list as a whole.
    Reminders,
    /// `/reminders/…`: the reminder at this place, counted from 0.
    Reminder(usize),
    /// `/recurrence`
    Recurrence,
}

/// Writes the JSON pointer of the field.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Title => f.write_str("/title"),
            Self::Description => f.write_str("/description"),
            Self::Status => f.write_str("/status"),
            Self::Priority => f.write_str("/priority"),
            Self::Tags => f.write_str("/tags"),
            Self::Tag(place) => write!(f, "/tags/{place}"),
            Self::Due => f.write_str("/due"),
            Self::Reminders => f.write_str("/reminders"),
            Self::Reminder(place) => write!(f, "/reminders/{place}"),
            Self::Recurrence => f.write_str("/recurrence"),
        }
    }
}

/// What kind of problem a field has; stable, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemCode {
    /// Nothing is left once surrounding white space is gone.
    Empty,
    /// More characters or bytes than allowed.
    TooLong,
    /// More entries than allowed.
    TooMany,
    /// A character that this field cannot hold.
    ForbiddenCharacter,
    /// A date or duration outside the allowed range.
    OutOfRange,
    /// None of the words that are allowed here.
    UnknownValue,
    /// Makes sense only with a due time.
    RequiresDue,
    /// Cannot change while the task is completed.
    TaskCompleted,
}

impl ProblemCode {
    /// The code as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::TooMany => "too_many",
            Self::ForbiddenCharacter => "forbidden_character",
            Self::OutOfRange => "out_of_range",
            Self::UnknownValue => "unknown_value",
            Self::RequiresDue => "requires_due",
            Self::TaskCompleted => "task_completed",
        }
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct FieldProblem {
    /// Where it is.
    pub field: Field,
    /// What it is, for programs.
    pub code: ProblemCode,
    /// What it is, for people: the end of a sentence that begins with the field. Never repeats what was sent.
    pub message: String,
}

impl FieldProblem {
    pub(crate) fn new(field: Field, code: ProblemCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { field, code, message }
    }
}

/// All that is wrong with a draft or patch, in the order in which it was found.
///
/// Start with an empty list, pass each parsed field through [`Problems::check`], and ask with [`Problems::into_result`]
/// at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Problems(Vec<FieldProblem>);

impl Problems {
    /// Notes one more problem.
    pub fn push(&mut self, problem: FieldProblem) {
        self.0.push(problem);
    }

    /// Takes the value, or notes what is wrong with it.
    pub fn check<T>(&mut self, result: Result<T, impl Into<Problems>>) -> Option<T> {
        result.map_err(|problems| self.0.extend(problems.into().0)).ok()
    }

    /// `Ok` when nothing was noted.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The problems noted so far.
    pub fn iter(&self) -> impl Iterator<Item = &FieldProblem> {
        self.0.iter()
    }
}

impl From<FieldProblem> for Problems {
    fn from(problem: FieldProblem) -> Self {
        Self(vec![problem])
    }
}
