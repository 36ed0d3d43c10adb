//! Waivers: findings that an environment accepts, for a while and with a reason.

use super::{Subject, rules};
use crate::diagnostic::{Code, Diagnostic, Severity};

/// A waiver of something that cannot be waived, or does not exist.
const NOT_WAIVABLE: u16 = 210;
/// A waiver whose last day has passed.
const EXPIRED: u16 = 211;
/// A waiver of nothing.
const UNUSED: u16 = 212;

/// Removes what is waived; reports waivers that do nothing, or no longer do.
pub(super) fn apply(subject: &Subject<'_>, findings: &mut Vec<Diagnostic>) {
    let mut problems = Vec::new();
    for (index, waiver) in subject.env.waivers.iter().enumerate() {
        let pointer = format!("/waivers/{index}/code");
        let rule = rules().find(|rule| rule.code.to_string() == waiver.code);
        let Some(rule) = rule.filter(|rule| rule.waivable) else {
            let choices: Vec<String> = rules()
                .filter(|rule| rule.waivable)
                .map(|rule| rule.code.to_string())
                .collect();
            let message = format!("{} cannot be waived", waiver.code);
            problems.push(
                subject
                    .error(NOT_WAIVABLE, &pointer, message)
                    .reason("a waiver accepts a risk; this is a mistake, or no rule at all")
                    .fix(format!("these can be: {}", choices.join(", "))),
            );
            continue;
        };
        if waiver.until < subject.today {
            let message = format!("the waiver of {} ended on {}", waiver.code, waiver.until);
            problems.push(
                subject
                    .error(EXPIRED, &format!("/waivers/{index}/until"), message)
                    .reason("a risk that is accepted for ever is a risk that is forgotten")
                    .fix("mend the finding, or decide anew and write another day"),
            );
            continue;
        }
        let before = findings.len();
        findings.retain(|finding| finding.code != rule.code);
        // Where something else is wrong, what a waiver is for may not have come up.
        let wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
        if findings.len() == before && !wrong {
            problems.push(unused(subject, &pointer, rule.code));
        }
    }
    findings.append(&mut problems);
}

fn unused(subject: &Subject<'_>, pointer: &str, code: Code) -> Diagnostic {
    subject
        .error(UNUSED, pointer, format!("nothing here violates {code}"))
        .warning()
        .reason("a waiver that waives nothing hides the next finding of its kind")
        .fix("remove it")
}
