//! The rules: each a pure function over the whole environment, all in one table.
//!
//! To add one: write the function in the file of its family, add a line to its table, a fixture under
//! `snapshot-tests/fixtures/refused/` and a page under `docs/errors/`.

mod alerts;
mod artefacts;
mod capacity;
mod dapr;
mod kafka;
mod platform;
mod postgres;
mod rollout;
mod scaling;
mod tracing;
mod waivers;

#[cfg(test)]
pub(crate) use alerts::{is_camel_case, template_labels, wrong_with_summary};

use crate::artefact::Artefacts;
use crate::diagnostic::{Code, Diagnostic};
use crate::resolve::Environment;
use crate::spec::Written;
use crate::spec::units::Date;
use catalogue::Catalogue;
use std::cell::OnceCell;

/// What a rule sees.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The spec as written, for places.
    pub written: &'a Written,
    /// The environment.
    pub env: &'a Environment,
    /// The names shared with the services.
    pub catalogue: &'a Catalogue,
    /// What was emitted.
    pub artefacts: &'a Artefacts,
    /// The day on which waivers are looked at.
    pub today: Date,
    /// What several rules about alerts start from.
    queries: OnceCell<alerts::Queries>,
}

impl<'a> Subject<'a> {
    /// An environment as written, resolved and emitted, seen on a day.
    pub fn new(
        written: &'a Written,
        env: &'a Environment,
        catalogue: &'a Catalogue,
        artefacts: &'a Artefacts,
        today: Date,
    ) -> Self {
        Self {
            written,
            env,
            catalogue,
            artefacts,
            today,
            queries: OnceCell::new(),
        }
    }

    /// An error at the place that a JSON pointer leads to.
    pub fn error(&self, code: u16, pointer: &str, message: impl Into<String>) -> Diagnostic {
        let written = self.written;
        Diagnostic::error(Code(code), &written.source.path, written.span(pointer), message)
    }
}

/// A rule: its code, what it says in a few words, and the function.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its code; the page is `docs/errors/<code>.md`.
    pub code: Code,
    /// What holds, when it is silent.
    pub title: &'static str,
    /// Whether a waiver may accept it.
    pub waivable: bool,
    /// Finds every violation.
    pub check: fn(&Subject<'_>) -> Vec<Diagnostic>,
}

const fn rule(code: u16, title: &'static str, check: fn(&Subject<'_>) -> Vec<Diagnostic>) -> Rule {
    Rule {
        code: Code(code),
        title,
        waivable: false,
        check,
    }
}

const fn waivable(code: u16, title: &'static str, check: fn(&Subject<'_>) -> Vec<Diagnostic>) -> Rule {
    Rule {
        waivable: true,
        ..rule(code, title, check)
    }
}

/// Every rule: each family's table, in the order of their codes.
const FAMILIES: &[&[Rule]] = &[
    artefacts::RULES,
    platform::RULES,
    kafka::RULES,
    postgres::RULES,
    dapr::RULES,
    scaling::RULES,
    rollout::RULES,
    tracing::RULES,
    alerts::RULES,
    capacity::RULES,
];

/// Every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().copied().flatten()
}

/// Every finding, waivers applied.
pub fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut findings: Vec<Diagnostic> = rules().flat_map(|rule| (rule.check)(subject)).collect();
    waivers::apply(subject, &mut findings);
    findings
}
