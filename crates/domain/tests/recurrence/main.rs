//! Recurrence against what others wrote down, against the clocks of forty zones, and against a naive reading of rules.

mod clock;
mod naive;
mod properties;
mod vectors;

use std::collections::BTreeSet;

use domain::recurrence::rule::Rule;
use domain::recurrence::{Basis, CatchUp, MonthEnd, Recurrence, Terms};
use domain::time::Zone;
use jiff::civil::DateTime;

/// Terms with this rule, read as RFC 5545 means it.
fn terms(rule: Rule, anchor: DateTime) -> Terms {
    Terms {
        rule,
        anchor,
        month_end: MonthEnd::Skip,
        basis: Basis::FixedSchedule,
        catch_up: CatchUp::All,
        exceptions: BTreeSet::new(),
    }
}

/// A series on the wall clock of nobody in particular.
fn floating(rule: &str, anchor: DateTime, month_end: MonthEnd) -> Recurrence {
    let rule = Rule::parse(rule, &Zone::UTC).expect("the rule is fine");
    Recurrence::new(Terms {
        month_end,
        ..terms(rule, anchor)
    })
    .expect("the terms are fine")
}
