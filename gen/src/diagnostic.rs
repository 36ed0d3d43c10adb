//! What is wrong with a spec, said so that the reader can mend it.

mod render;

pub use render::{render, render_all};

use crate::source::Span;
use std::fmt;

/// A stable diagnostic code, `TF0001` to `TF9999`; each has a page under `docs/errors/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TF{:04}", self.0)
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is written.
    Error,
    /// Everything is written; `--deny-warnings` turns it into exit code 3.
    Warning,
}

/// A second place that explains the first one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there, lower case, no final stop.
    pub text: String,
}

/// One problem at one place of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// Path of the file it is about.
    pub path: String,
    /// Where in that file; `None` where the file has no such place (it could not be read).
    pub span: Option<Span>,
    /// What is wrong, one sentence, lower case, no final stop.
    pub message: String,
    /// What stands at the place, a few words under the caret.
    pub label: String,
    /// Other places involved, in the same file.
    pub related: Vec<Label>,
    /// Why it fails in the field.
    pub reason: Option<String>,
    /// How to mend it.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, path: impl Into<String>, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: path.into(),
            span: Some(span),
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            reason: None,
            fix: None,
        }
    }

    /// An error about a whole file.
    pub fn about_file(code: Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        let mut diagnostic = Self::error(code, path, 0..0, message);
        diagnostic.span = None;
        diagnostic
    }

    /// The same, as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Adds the words under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds why it fails in the field.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// Sorts by file, place and code, and drops repetitions: the order that people read in.
pub fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        let key = |d: &Diagnostic| (d.path.clone(), d.span.as_ref().map(|s| s.start), d.code);
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics.dedup();
}
