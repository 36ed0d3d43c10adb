//! Rules about tracing: what every part accepts, and what then loses exactly the traces that were wanted.

use super::{Rule, Subject, rule};
use crate::diagnostic::Diagnostic;
use crate::spec::units::Percent;

pub(super) const RULES: &[Rule] = &[
    rule(701, "Dapr passes every trace on", nothing_is_lost_at_the_head),
    rule(702, "a sampler sees whole traces", traces_are_not_torn_apart),
    rule(703, "a slow trace is known to be slow", decisions_are_not_too_early),
];

fn nothing_is_lost_at_the_head(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let tracing = &subject.env.tracing;
    if subject.env.dapr.is_none() || tracing.dapr_sampling == Percent::whole(100) {
        return Vec::new();
    }
    let message = format!("Dapr passes on {} of the traces", tracing.dapr_sampling);
    vec![
        subject
            .error(701, "/tracing/daprSampling", message)
            .label("decided before anything is known about the trace")
            .related(
                subject.written.span("/tracing/keep"),
                format!("{} is what the collector keeps of the ordinary ones", tracing.keep),
            )
            .reason("Dapr decides when a trace begins: an error in one of the others never reaches the collector")
            .fix("leave `daprSampling` out and say with `keep` what is stored"),
    ]
}

fn traces_are_not_torn_apart(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let tracing = &subject.env.tracing;
    if tracing.samplers < 2 || tracing.balancers > 0 {
        return Vec::new();
    }
    let message = format!(
        "{} samplers, and nothing that brings a trace to one of them",
        tracing.samplers
    );
    vec![
        subject
            .error(702, "/tracing/balancers", message)
            .label("no collector in front")
            .related(
                subject.written.span("/tracing/samplers"),
                format!("{} samplers", tracing.samplers),
            )
            .reason("each sampler decides about the spans it happens to get: traces are kept in pieces, errors without their cause")
            .fix("leave `balancers` out, or write `samplers: 1`"),
    ]
}

fn decisions_are_not_too_early(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let tracing = &subject.env.tracing;
    if tracing.decision_wait > tracing.slower_than {
        return Vec::new();
    }
    let message = format!(
        "the collector decides after {}, but a trace counts as slow after {}",
        tracing.decision_wait, tracing.slower_than
    );
    vec![
        subject
            .error(703, "/tracing/decisionWait", message)
            .label("the wait, counted from the first span")
            .related(
                subject.written.span("/tracing/slowerThan"),
                format!("{} and more is slow", tracing.slower_than),
            )
            .reason(
                "a trace that is still running is decided about as a fast one: slow traces are dropped like any other",
            )
            .fix("wait several times longer than `slowerThan`; 30s is the collector's own"),
    ]
}
