//! When a task asks for attention.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use super::problem::{Field, FieldProblem, ProblemCode, Problems};
use crate::time::{self, Due, Zone};

/// One reminder of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reminder {
    /// At an instant, whatever the due time is.
    At(Timestamp),
    /// This long before the due time, in whole seconds, 0 to 366 days. Whole days are counted on the calendar: one day
    /// before 9:00 is 9:00, even when the clocks change in between.
    BeforeDue(Duration),
}

impl Reminder {
    /// The longest time before the due time.
    pub const MAX_BEFORE_DUE: Duration = Duration::from_hours(366 * 24);

    /// When it goes off for a user who lives in `user_zone`; `None` when it waits for a due time that is not there.
    pub fn at(&self, due: Option<&Due>, user_zone: &Zone) -> Option<Timestamp> {
        match self {
            Self::At(instant) => Some(*instant),
            Self::BeforeDue(lead) => due.map(|due| before(due, *lead, user_zone)),
        }
    }

    /// Whether it needs a due time.
    pub fn is_relative(&self) -> bool {
        matches!(self, Self::BeforeDue(_))
    }

    fn checked(self, place: usize) -> Result<Self, FieldProblem> {
        let field = Field::Reminder(place);
        match self {
            Self::At(instant) => time::checked_instant(instant, field).map(Self::At),
            Self::BeforeDue(lead) if lead <= Self::MAX_BEFORE_DUE => {
                Ok(Self::BeforeDue(Duration::from_secs(lead.as_secs())))
            }
            Self::BeforeDue(_) => {
                let message = "must be at most 366 days before the due time";
                Err(FieldProblem::new(field, ProblemCode::OutOfRange, message))
            }
        }
    }
}

/// Days go by the calendar, the rest by the clock: the rule of RFC 5545 for durations.
fn before(due: &Due, lead: Duration, user_zone: &Zone) -> Timestamp {
    const DAY_SECONDS: u64 = 24 * 60 * 60;
    let (days, rest) = (lead.as_secs() / DAY_SECONDS, lead.as_secs() % DAY_SECONDS);
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    let day: DateTime = due.local().checked_sub(days.days()).unwrap_or(DateTime::MIN);
    let rest = SignedDuration::from_secs(i64::try_from(rest).unwrap_or(i64::MAX));
    due.zone(user_zone)
        .instant(day)
        .checked_sub(rest)
        .unwrap_or(Timestamp::MIN)
}

/// The reminders of a task: at most 20, each once; instants first, then those before the due time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reminders(Vec<Reminder>);

impl Reminders {
    /// The most reminders of one task.
    pub const MAX: usize = 20;

    /// Checks every reminder, sorts them, and keeps one of those that are equal.
    pub fn new(reminders: impl IntoIterator<Item = Reminder>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut checked = Vec::new();
        for (place, reminder) in reminders.into_iter().enumerate() {
            checked.extend(problems.check(reminder.checked(place)));
        }
        checked.sort();
        checked.dedup();
        if checked.len() > Self::MAX {
            let message = format!("must have at most {} entries", Self::MAX);
            problems.push(FieldProblem::new(Field::Reminders, ProblemCode::TooMany, message));
        }
        problems.into_result().map(|()| Self(checked))
    }

    /// The reminders, sorted.
    pub fn as_slice(&self) -> &[Reminder] {
        &self.0
    }

    /// Only those that go with the due time: what a successor takes over.
    #[must_use]
    pub fn relative(&self) -> Self {
        Self(self.0.iter().copied().filter(Reminder::is_relative).collect())
    }
}
