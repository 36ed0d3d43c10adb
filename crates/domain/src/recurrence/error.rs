//! Why a rule or a series was refused.

use jiff::civil::DateTime;

/// Why a rule or a series was refused, in a sentence for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecurrenceError {
    /// The text of the rule is longer than [`MAX_RULE_BYTES`](super::rule::MAX_RULE_BYTES).
    #[error("the rule is {0} bytes long, more than a rule may have")]
    TooLong(usize),
    /// There is nothing to read.
    #[error("the rule is empty: it needs at least FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")]
    Empty,
    /// A series has one rule.
    #[error("there is more than one RRULE: a series has exactly one rule")]
    SeveralRules,
    /// EXRULE was withdrawn by RFC 5545.
    #[error("EXRULE is not supported: take single dates out of the series instead")]
    ExclusionRule,
    /// Another line of a calendar stands beside the rule.
    #[error("`{0}` is not part of a rule: give the text of the RRULE alone")]
    UnexpectedProperty(String),
    /// A part is not of the form NAME=VALUE.
    #[error("`{0}` is not of the form NAME=VALUE")]
    Malformed(String),
    /// A part that no rule has.
    #[error("a rule has no part `{0}`")]
    UnknownPart(String),
    /// A part of RFC 5545 that tasks do not use.
    #[error("the part {0} is not supported for tasks")]
    UnsupportedPart(&'static str),
    /// A part stands twice.
    #[error("the part {0} is given twice")]
    RepeatedPart(&'static str),
    /// FREQ is missing.
    #[error("the rule does not say how often: it needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")]
    MissingFrequency,
    /// HOURLY, MINUTELY, SECONDLY.
    #[error("a task recurs at most daily: FREQ={0} is too often")]
    TooFrequent(&'static str),
    /// INTERVAL is 0, above 1,000, or no number.
    #[error("INTERVAL must be a whole number from 1 to 1000, not `{0}`")]
    Interval(String),
    /// A value that its part cannot have.
    #[error("{part} must be {expected}, not `{value}`")]
    Value {
        /// The part of the rule.
        part: &'static str,
        /// What it can be.
        expected: &'static str,
        /// What it was.
        value: String,
    },
    /// COUNT and UNTIL in one rule.
    #[error("COUNT and UNTIL are both given: a series ends in one way")]
    CountAndUntil,
    /// Parts that exclude each other.
    #[error("{part} cannot be used with FREQ={frequency}")]
    NotWithFrequency {
        /// The part of the rule.
        part: &'static str,
        /// The frequency of the rule.
        frequency: &'static str,
    },
    /// BYSETPOS has nothing to choose from.
    #[error("BYSETPOS chooses among dates: it needs BYDAY, BYMONTHDAY or BYMONTH beside it")]
    PositionsAlone,
    /// The anchor lies in a year outside [`ANCHOR_YEARS`](super::ANCHOR_YEARS).
    #[error("a series cannot begin in the year {0}")]
    AnchorYear(i16),
    /// The anchor is not on a whole second.
    #[error("a series begins on a whole second, not at `{0}`")]
    AnchorFraction(DateTime),
    /// More than [`MAX_EXCEPTIONS`](super::MAX_EXCEPTIONS).
    #[error("{0} dates are taken out of the series, more than it can remember")]
    TooManyExceptions(usize),
    /// The series ends before it begins.
    #[error("the series ends on {0}, before its first date")]
    EndsBeforeFirst(DateTime),
    /// The rule never matches, or not within 28 years.
    #[error("the rule names no date in the 28 years from its beginning")]
    NoInstance,
    /// Text that is no occurrence key.
    #[error("`{0}` is not a local date and time like 2026-01-31T09:00:00")]
    Key(String),
}

impl RecurrenceError {
    /// A name for programs, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "rule_too_long",
            Self::Empty => "rule_empty",
            Self::SeveralRules => "several_rules",
            Self::ExclusionRule => "exclusion_rule",
            Self::UnexpectedProperty(_) => "unexpected_property",
            Self::Malformed(_) => "malformed_part",
            Self::UnknownPart(_) => "unknown_part",
            Self::UnsupportedPart(_) => "unsupported_part",
            Self::RepeatedPart(_) => "repeated_part",
            Self::MissingFrequency => "missing_frequency",
            Self::TooFrequent(_) => "too_frequent",
            Self::Interval(_) => "interval_out_of_range",
            Self::Value { .. } => "invalid_value",
            Self::CountAndUntil => "count_and_until",
            Self::NotWithFrequency { .. } => "not_with_frequency",
            Self::PositionsAlone => "positions_alone",
            Self::AnchorYear(_) => "anchor_year_out_of_range",
            Self::AnchorFraction(_) => "anchor_not_whole_second",
            Self::TooManyExceptions(_) => "too_many_exceptions",
            Self::EndsBeforeFirst(_) => "ends_before_first",
            Self::NoInstance => "no_instance",
            Self::Key(_) => "malformed_occurrence_key",
        }
    }
}
