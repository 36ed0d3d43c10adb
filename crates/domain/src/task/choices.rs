//! The closed choices of a task, with the words for them that API, events, search and storage share.

use std::fmt;
use std::str::FromStr;

use super::problem::{Field, FieldProblem, ProblemCode};

/// Whether a task is still to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// To be done.
    #[default]
    Open,
    /// Done.
    Completed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 2] = [Self::Open, Self::Completed];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = FieldProblem;

    fn from_str(word: &str) -> Result<Self, FieldProblem> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == word);
        found.ok_or_else(|| unknown(Field::Status, &Self::ALL.map(Self::as_str)))
    }
}

/// How much a task matters, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Nobody said.
    #[default]
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

impl Priority {
    /// Every priority, from least to most.
    pub const ALL: [Self; 5] = [Self::None, Self::Low, Self::Medium, Self::High, Self::Urgent];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Priority {
    type Err = FieldProblem;

    fn from_str(word: &str) -> Result<Self, FieldProblem> {
        let found = Self::ALL.into_iter().find(|priority| priority.as_str() == word);
        found.ok_or_else(|| unknown(Field::Priority, &Self::ALL.map(Self::as_str)))
    }
}

fn unknown(field: Field, words: &[&str]) -> FieldProblem {
    let message = format!("must be one of: {}", words.join(", "));
    FieldProblem::new(field, ProblemCode::UnknownValue, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_has_one_word() {
        for priority in Priority::ALL {
            assert_eq!(priority.to_string().parse(), Ok(priority));
        }
        for status in Status::ALL {
            assert_eq!(status.to_string().parse(), Ok(status));
        }
        assert!(Priority::ALL.is_sorted());
        for word in ["", "High", " high", "p1"] {
            assert_eq!(word.parse::<Priority>().unwrap_err().code, ProblemCode::UnknownValue);
        }
        let message = "/status must be one of: open, completed";
        assert_eq!("done".parse::<Status>().unwrap_err().to_string(), message);
    }
}
