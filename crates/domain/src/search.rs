//! The search query: whatever a person types becomes an expression, never an error.
//!
//! | typed | meaning |
//! |---|---|
//! | `client presentation`, `client & presentation`, `client AND presentation` | both |
//! | `client \| presentation`, `client OR presentation` | one of them or both; binds less than "both" |
//! | `!draft`, `-draft`, `NOT draft` | without it |
//! | `"weekly team meeting"`, `'weekly team meeting'` | these words in this order |
//! | `presen*`, `presen:*` | any word that begins so, from two letters on |
//! | `( … )` | grouping |
//! | `tag:work`, `tag:"deep work"` | filed under this tag |
//! | `priority:high`, `priority:>=medium` | of this priority, or from it on |
//! | `status:open`, `is:open`, `status:completed`, `is:completed` | still to be done, or done |
//! | `due:2026-12-01`, `due:<2026-12-01`, `due:>=today`, `due:tomorrow` | due on such a day |
//! | `due:none`, `is:overdue`, `is:recurring` | without a due time, late, coming back |
//!
//! Syntax that makes no sense where it stands, filters with a value that none can have, and what has no letter or digit are
//! left out, and [`Query::ignored`] says so. An unknown filter, `foo:bar`, is searched as words and said so too. `AND`, `OR`
//! and `NOT` without something to combine are words.

mod filter;
mod parse;
mod print;
mod scan;
mod term;
#[cfg(test)]
mod tests;

pub use filter::{Comparison, Day, Filter};
pub use parse::parse;
pub use term::{Term, TermKind};

/// The most terms and filters of one query; what comes after them is ignored.
pub const MAX_LEAVES: usize = 64;

/// The deepest grouping; parentheses inside that are ignored.
pub const MAX_DEPTH: usize = 16;

/// What a text asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// What tasks have to fulfil; `None` when nothing understandable was asked.
    pub expression: Option<Expression>,
    /// Parts of the text that had no effect or were taken as plain words, as they were typed: each once, at most 20,
    /// long ones cut.
    pub ignored: Vec<String>,
}

/// A condition on a task. Its text form is `Display`, which [`parse`] reads back to an equal expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// The text of the task has it.
    Term(Term),
    /// The task itself is so.
    Filter(Filter),
    /// Not so; never a negation of a negation.
    Not(Box<Expression>),
    /// All of these, two or more; none of them is an `And`.
    And(Vec<Expression>),
    /// At least one of these, two or more; none of them is an `Or`.
    Or(Vec<Expression>),
}

impl Expression {
    /// Whether it asks for text alone, so that it can be one full-text condition.
    pub fn is_text(&self) -> bool {
        match self {
            Self::Term(_) => true,
            Self::Filter(_) => false,
            Self::Not(inner) => inner.is_text(),
            Self::And(all) | Self::Or(all) => all.iter().all(Self::is_text),
        }
    }

    /// The terms that speak for a task, without those under a negation: what to rank by, mark in results, or correct
    /// when nothing was found.
    pub fn wanted_terms(&self) -> Vec<&Term> {
        match self {
            Self::Term(term) => vec![term],
            Self::Filter(_) | Self::Not(_) => Vec::new(),
            Self::And(all) | Self::Or(all) => all.iter().flat_map(Self::wanted_terms).collect(),
        }
    }
}
