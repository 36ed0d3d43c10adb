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

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn days_go_by_the_calendar_and_hours_by_the_clock() {
        let berlin = Zone::new("Europe/Berlin").unwrap();
        let morning = datetime(2026, 3, 29, 9, 0, 0, 0);
        let zoned = Due::Zoned {
            local: morning,
            zone: berlin.clone(),
        };
        // The clocks went forward at 2:00 that night.
        for (due, lead, instant) in [
            (&zoned, Duration::ZERO, "2026-03-29T07:00:00Z"),
            (&zoned, HOUR, "2026-03-29T06:00:00Z"),
            (&zoned, 8 * HOUR, "2026-03-28T23:00:00Z"),
            (&zoned, DAY, "2026-03-28T08:00:00Z"),
            (&zoned, DAY + HOUR, "2026-03-28T07:00:00Z"),
            (&Due::Floating(morning), DAY, "2026-03-28T08:00:00Z"),
            (&Due::Instant(zoned.at(&berlin)), DAY, "2026-03-28T07:00:00Z"),
        ] {
            let at = Reminder::BeforeDue(lead).at(Some(due), &berlin).unwrap();
            assert_eq!(at.to_string(), instant, "{lead:?} before {due:?}");
        }
    }

    #[test]
    fn a_relative_reminder_waits_for_a_due_time() {
        assert_eq!(Reminder::BeforeDue(DAY).at(None, &Zone::UTC), None);
        let instant = Timestamp::UNIX_EPOCH;
        assert_eq!(Reminder::At(instant).at(None, &Zone::UTC), Some(instant));
    }

    #[test]
    fn reminders_are_unique_sorted_and_in_whole_seconds() {
        let second = Timestamp::from_second(1_800_000_000).unwrap();
        let fraction = second.checked_add(SignedDuration::from_millis(1)).unwrap();
        let reminders = Reminders::new([
            Reminder::BeforeDue(DAY),
            Reminder::BeforeDue(HOUR + Duration::from_millis(5)),
            Reminder::At(fraction),
            Reminder::At(second),
            Reminder::BeforeDue(HOUR),
        ]);
        let expected = [
            Reminder::At(second),
            Reminder::BeforeDue(HOUR),
            Reminder::BeforeDue(DAY),
        ];
        assert_eq!(reminders.as_ref().map(Reminders::as_slice), Ok(&expected[..]));
        assert_eq!(reminders.unwrap().relative().as_slice(), &expected[1..]);
    }

    #[test]
    fn every_wrong_reminder_is_named() {
        let problems = Reminders::new([
            Reminder::At(Timestamp::MIN),
            Reminder::BeforeDue(Reminder::MAX_BEFORE_DUE),
            Reminder::BeforeDue(Reminder::MAX_BEFORE_DUE + Duration::from_secs(1)),
        ]);
        let fields: Vec<Field> = problems.unwrap_err().iter().map(|problem| problem.field).collect();
        assert_eq!(fields, [Field::Reminder(0), Field::Reminder(2)]);

        let many = (0..21).map(|hours| Reminder::BeforeDue(hours * HOUR));
        let problems = Reminders::new(many).unwrap_err();
        assert_eq!(problems.iter().next().unwrap().code, ProblemCode::TooMany);
    }
}
