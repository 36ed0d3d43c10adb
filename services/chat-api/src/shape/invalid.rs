//! What is wrong with the fields of a request, collected, so that a person sees all of it at once.

use std::borrow::Cow;

use domain::{
    recurrence::error::RecurrenceError,
    task::problem::{FieldProblem, ProblemCode, Problems},
    time::{self, Zone},
};
use service_kit::problem::{Fault, FieldError};

use super::{Due, Recurrence};

/// What is wrong with the fields of a request, by their JSON pointers; in an `Err` at least one.
#[derive(Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("fields have values that they cannot take")]
pub(crate) struct InvalidFields(Vec<FieldError>);

impl InvalidFields {
    /// One field that is wrong.
    pub(crate) fn one(pointer: &'static str, fault: Fault, message: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![FieldError::body(pointer, fault, message)])
    }

    /// The fields, in the order in which they were found.
    pub(crate) fn into_errors(self) -> Vec<FieldError> {
        self.0
    }

    /// A recurrence with the due time that it begins at, both whole.
    pub(crate) fn of_recurrence(
        recurrence: &Recurrence,
        due: &Due,
        user_zone: &Zone,
    ) -> Result<(domain::recurrence::Recurrence, time::Due), Self> {
        let mut invalid = Self::default();
        let due = invalid.due(due);
        let recurrence = due
            .as_ref()
            .and_then(|due| invalid.recurrence(recurrence, Some(due), user_zone));
        recurrence.zip(due).ok_or(invalid)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the value, or notes what is wrong with it.
    pub(super) fn check<T>(&mut self, result: Result<T, impl Into<Self>>) -> Option<T> {
        result.map_err(|invalid| self.0.extend(invalid.into().0)).ok()
    }

    /// Takes a due time, whole and in range.
    pub(super) fn due(&mut self, due: &Due) -> Option<time::Due> {
        let due = due.to_domain().map_err(|_| {
            Self::one(
                "/due/zone",
                Fault::InvalidFormat,
                "must be the IANA name of a time zone",
            )
        });
        let due = self.check(due)?;
        self.check(due.checked())
    }

    /// Takes a recurrence, counted from the due time that the task will have.
    pub(super) fn recurrence(
        &mut self,
        recurrence: &Recurrence,
        due: Option<&time::Due>,
        user_zone: &Zone,
    ) -> Option<domain::recurrence::Recurrence> {
        let Some(due) = due else {
            let message = "needs a due time to begin at";
            return self.check(Err(Self::one("/recurrence", Fault::Contradiction, message)));
        };
        self.check(recurrence.to_domain(due.local(), &due.zone(user_zone)))
    }
}

impl From<FieldProblem> for InvalidFields {
    fn from(problem: FieldProblem) -> Self {
        let fault = match problem.code {
            ProblemCode::Empty => Fault::TooShort,
            ProblemCode::TooLong | ProblemCode::TooMany => Fault::TooLong,
            ProblemCode::ForbiddenCharacter => Fault::InvalidFormat,
            ProblemCode::OutOfRange => Fault::OutOfRange,
            ProblemCode::UnknownValue => Fault::NotAllowed,
            ProblemCode::RequiresDue | ProblemCode::TaskCompleted => Fault::Contradiction,
        };
        Self(vec![FieldError::body(
            problem.field.to_string(),
            fault,
            problem.message,
        )])
    }
}

impl From<Problems> for InvalidFields {
    fn from(problems: Problems) -> Self {
        let fields = problems.iter().cloned().map(Self::from);
        Self(fields.flat_map(|invalid| invalid.0).collect())
    }
}

impl From<RecurrenceError> for InvalidFields {
    fn from(error: RecurrenceError) -> Self {
        let (pointer, fault) = match error {
            RecurrenceError::TooManyExceptions(_) => ("/recurrence/exceptions", Fault::TooLong),
            RecurrenceError::AnchorYear(_) | RecurrenceError::AnchorFraction(_) => ("/due", Fault::OutOfRange),
            RecurrenceError::TooLong(_) => ("/recurrence/rule", Fault::TooLong),
            RecurrenceError::Interval(_) | RecurrenceError::TooFrequent(_) => ("/recurrence/rule", Fault::OutOfRange),
            RecurrenceError::CountAndUntil
            | RecurrenceError::NotWithFrequency { .. }
            | RecurrenceError::PositionsAlone
            | RecurrenceError::EndsBeforeFirst(_)
            | RecurrenceError::NoInstance => ("/recurrence/rule", Fault::Contradiction),
            _ => ("/recurrence/rule", Fault::InvalidFormat),
        };
        Self::one(pointer, fault, format!("cannot be used: {error}"))
    }
}
