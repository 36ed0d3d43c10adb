//! Conditions on a task other than on its text.

use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::task::choices::{Priority, Status};
use crate::task::tags::Tag;
use crate::time::{MAX_YEAR, MIN_YEAR};

/// A condition on a task other than on its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Filed under this tag.
    Tag(Tag),
    /// Of a priority that compares so with this one.
    Priority(Comparison, Priority),
    /// In this status.
    Status(Status),
    /// Due on a day, in the user's zone, that compares so with this one.
    Due(Comparison, Day),
    /// Without a due time.
    WithoutDue,
    /// Open, and due before now.
    Overdue,
    /// With a recurrence.
    Recurring,
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// Nothing, or `=`.
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Comparison {
    /// As a query writes it; nothing for equality.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        }
    }

    /// Takes a comparison off the beginning of a value.
    fn split(value: &str) -> (Self, &str) {
        let signs = [
            ("<=", Self::LessOrEqual),
            (">=", Self::GreaterOrEqual),
            ("<", Self::Less),
            (">", Self::Greater),
            ("=", Self::Equal),
        ];
        signs
            .into_iter()
            .find_map(|(sign, comparison)| Some((comparison, value.strip_prefix(sign)?)))
            .unwrap_or((Self::Equal, value))
    }
}

/// A day, in the user's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// This date, in the years of due times.
    On(Date),
    /// The day before today.
    Yesterday,
    /// The day on which the query is answered.
    Today,
    /// The day after today.
    Tomorrow,
}

impl Day {
    /// The date that is meant when the query is answered on `today`.
    pub fn date(self, today: Date) -> Date {
        match self {
            Self::On(date) => date,
            Self::Yesterday => today.saturating_sub(1.day()),
            Self::Today => today,
            Self::Tomorrow => today.saturating_add(1.day()),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "yesterday" => Some(Self::Yesterday),
            "today" => Some(Self::Today),
            "tomorrow" => Some(Self::Tomorrow),
            _ => {
                let date = Date::strptime("%Y-%m-%d", text).ok()?;
                (MIN_YEAR..=MAX_YEAR).contains(&date.year()).then_some(Self::On(date))
            }
        }
    }
}

/// As a query writes it.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On(date) => date.fmt(f),
            Self::Yesterday => f.write_str("yesterday"),
            Self::Today => f.write_str("today"),
            Self::Tomorrow => f.write_str("tomorrow"),
        }
    }
}

impl Filter {
    /// What may stand before the colon.
    pub(super) const KEYS: [&'static str; 5] = ["tag", "priority", "status", "due", "is"];

    /// Reads what stands behind `key:`; `None` when it makes no sense there.
    pub(super) fn read(key: &str, value: &str) -> Option<Self> {
        if key == "tag" {
            return Tag::new(value).ok().map(Self::Tag);
        }
        let value = value.to_lowercase();
        let (comparison, compared) = Comparison::split(&value);
        match (key, value.as_str()) {
            ("priority", _) => compared
                .parse()
                .ok()
                .map(|priority| Self::Priority(comparison, priority)),
            ("due", "none") => Some(Self::WithoutDue),
            ("due", _) => Day::read(compared).map(|day| Self::Due(comparison, day)),
            ("is", "overdue") => Some(Self::Overdue),
            ("is", "recurring") => Some(Self::Recurring),
            ("status" | "is", status) => status.parse().ok().map(Self::Status),
            _ => None,
        }
    }
}
