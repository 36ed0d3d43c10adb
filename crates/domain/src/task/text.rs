//! Checked texts. All of them are kept in Unicode normal form C, so that what looks equal is equal.

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::problem::{Field, FieldProblem, ProblemCode};

/// The title of a task: 1 to 500 characters, no white space around it, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Title(String);

impl Title {
    /// The most characters of a title.
    pub const MAX_CHARS: usize = 500;

    /// Takes off surrounding white space, then checks.
    pub fn new(text: &str) -> Result<Self, FieldProblem> {
        let text = normal(text.trim(), usize::MAX);
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
        let text = normal(text, Self::MAX_BYTES + 1);
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

/// The text in normal form C, or its beginning: at most so many characters if it was not in that form. Nearly every text
/// is, and each one is read far more often than written.
pub(super) fn normal(text: &str, max_chars: usize) -> String {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text.to_owned();
    }
    text.nfc().take(max_chars).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, FieldProblem>) -> Option<ProblemCode> {
        result.err().map(|problem| problem.code)
    }

    #[test]
    fn a_title_is_trimmed_and_bounded() {
        assert_eq!(Title::new("  buy\u{a0}milk \n").unwrap().as_str(), "buy\u{a0}milk");
        assert_eq!(code(Title::new(&"ü".repeat(500))), None);
        assert_eq!(code(Title::new(&"ü".repeat(501))), Some(ProblemCode::TooLong));
        for text in ["", " \t\r\n", "\u{2003}"] {
            assert_eq!(code(Title::new(text)), Some(ProblemCode::Empty), "{text:?}");
        }
        for text in ["a\0b", "a\nb", "a\tb", "a\u{7f}b", "a\u{9b}b"] {
            assert_eq!(
                code(Title::new(text)),
                Some(ProblemCode::ForbiddenCharacter),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_description_keeps_its_lines_and_is_bounded_in_bytes() {
        let text = "  - eggs\r\n\t- milk\n";
        assert_eq!(Description::new(text).unwrap().as_str(), text);
        assert_eq!(code(Description::new(&"ü".repeat(100_000))), None);
        assert_eq!(code(Description::new(&"ü".repeat(100_001))), Some(ProblemCode::TooLong));
        // In normal form C this letter is three, so that the limit is one on what is stored.
        assert_eq!(
            code(Description::new(&"\u{1d160}".repeat(50_000))),
            Some(ProblemCode::TooLong)
        );
        for text in ["\0", "\u{1b}[0m", "\u{c}"] {
            assert_eq!(
                code(Description::new(text)),
                Some(ProblemCode::ForbiddenCharacter),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_looks_equal_is_equal() {
        assert_eq!(Title::new("cafe\u{301}"), Title::new("café"));
        assert_eq!(Description::new("cafe\u{301}"), Description::new("café"));
    }
}
