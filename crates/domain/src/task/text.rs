//! Checked texts. All of them are kept in Unicode normal form C, so that what looks equal is equal.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::problem::{Field, FieldProblem, ProblemCode};

/// The title of a task: 1 to 500 characters, no white space around it, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Title(String);

impl Title {
    /// The most characters of a title.
    pub const MAX_CHARS: usize = 500;

    /// Takes off surrounding white space, then checks.
    pub fn new(text: &str) -> Result<Self, FieldProblem> {
        let text: String = text.trim().nfc().collect();
        refuse_controls(&text, Field::Title, &[])?;
        check_length(&text, Field::Title, Self::MAX_CHARS)?;
        Ok(Self(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The description of a task: up to 200,000 bytes; may be empty. Tabs and line breaks are its only control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Description(String);

impl Description {
    /// The most bytes of a description, in UTF-8.
    pub const MAX_BYTES: usize = 200_000;

    /// Checks the text; white space stays as it is.
    pub fn new(text: &str) -> Result<Self, FieldProblem> {
        let field = Field::Description;
        refuse_controls(text, field, &['\t', '\n', '\r'])?;
        // Normalising a text that is far too long would be work for nothing; it can at most triple in length.
        let text: String = text.nfc().take(Self::MAX_BYTES + 1).collect();
        if text.len() > Self::MAX_BYTES {
            let message = format!("must have at most {} bytes", Self::MAX_BYTES);
            return Err(FieldProblem::new(field, ProblemCode::TooLong, message));
        }
        Ok(Self(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

pub(super) fn refuse_controls(text: &str, field: Field, allowed: &[char]) -> Result<(), FieldProblem> {
    if text.contains(|c: char| c.is_control() && !allowed.contains(&c)) {
        let message = "must not contain control characters";
        return Err(FieldProblem::new(field, ProblemCode::ForbiddenCharacter, message));
    }
    Ok(())
}

pub(super) fn check_length(text: &str, field: Field, max_chars: usize) -> Result<(), FieldProblem> {
    if text.is_empty() {
        return Err(FieldProblem::new(field, ProblemCode::Empty, "must not be empty"));
    }
    if text.chars().count() > max_chars {
        let message = format!("must have at most {max_chars} characters");
        return Err(FieldProblem::new(field, ProblemCode::TooLong, message));
    }
    Ok(())
}
