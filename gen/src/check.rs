//! The rules: each a pure function over the whole environment, all in one table.
//!
//! To add one: write the function in the file of its family, add a line to [`RULES`], a fixture under
//! `snapshot-tests/fixtures/refused/` and a page under `docs/errors/`.

mod artefacts;
mod kafka;
mod waivers;

use crate::artefact::Artefacts;
use crate::diagnostic::{Code, Diagnostic};
use crate::resolve::Environment;
use crate::spec::Written;
use crate::spec::units::Date;
use catalogue::Catalogue;

/// What a rule sees.
#[derive(Clone, Copy, Debug)]
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
}

impl Subject<'_> {
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

/// Every rule, by code.
pub const RULES: &[Rule] = &[
    rule(
        201,
        "every artefact has a path of its own",
        artefacts::paths_are_taken_once,
    ),
    rule(
        202,
        "whatever an object needs is there before it",
        artefacts::needs_are_met,
    ),
    rule(
        301,
        "there are as many brokers as copies",
        kafka::replication_fits_brokers,
    ),
    rule(
        302,
        "fewer copies are required than exist",
        kafka::min_in_sync_fits_replication,
    ),
    rule(
        303,
        "a dead-letter twin has its origin's partitions",
        kafka::twins_are_wide_enough,
    ),
    waivable(
        310,
        "an acknowledged event survives the loss of a broker",
        kafka::acknowledged_events_survive,
    ),
];

/// Every finding, waivers applied.
pub fn check(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut findings: Vec<Diagnostic> = RULES.iter().flat_map(|rule| (rule.check)(subject)).collect();
    waivers::apply(subject, &mut findings);
    findings
}
