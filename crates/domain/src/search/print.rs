//! Expressions as text, in the one form that reads back to the same expression.

use std::fmt;

use super::Expression;
use super::filter::Filter;
use super::scan::ends_word;
use super::term::{Term, TermKind};

/// "And" is a space and "or" a bar; parentheses stand only where they are needed.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term(term) => term.fmt(f),
            Self::Filter(filter) => filter.fmt(f),
            Self::Not(inner) => match **inner {
                Self::And(_) | Self::Or(_) => write!(f, "-({inner})"),
                _ => write!(f, "-{inner}"),
            },
            Self::And(all) => list(f, all, " ", |part| matches!(part, Self::Or(_))),
            Self::Or(all) => list(f, all, " | ", |_| false),
        }
    }
}

fn list(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expression],
    between: &str,
    needs_parentheses: impl Fn(&Expression) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            TermKind::Word => f.write_str(self.text()),
            TermKind::Prefix => write!(f, "{}*", self.text()),
            TermKind::Phrase => write!(f, "\"{}\"", self.text()),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => {
                let is_plain = !tag.as_str().contains(ends_word) && tag.as_str().contains(|c| c != '*');
                let quote = if is_plain { "" } else { "\"" };
                write!(f, "tag:{quote}{tag}{quote}")
            }
            Self::Priority(comparison, priority) => write!(f, "priority:{}{priority}", comparison.as_str()),
            Self::Status(status) => write!(f, "status:{status}"),
            Self::Due(comparison, day) => write!(f, "due:{}{day}", comparison.as_str()),
            Self::WithoutDue => f.write_str("due:none"),
            Self::Overdue => f.write_str("is:overdue"),
            Self::Recurring => f.write_str("is:recurring"),
        }
    }
}
