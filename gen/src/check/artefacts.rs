//! Rules over what was emitted, whoever emitted it.

use super::{Rule, Subject, rule};
use crate::artefact::Thing;
use crate::diagnostic::Diagnostic;
use crate::spec::Part;
use crate::stage;

pub(super) const RULES: &[Rule] = &[
    rule(201, "every artefact has a path of its own", paths_are_taken_once),
    rule(202, "whatever an object needs is there before it", needs_are_met),
];

fn paths_are_taken_once(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let collisions = &subject.artefacts.collisions;
    collisions
        .iter()
        .map(|second| {
            subject
                .error(
                    201,
                    &second.pointer,
                    format!("two artefacts are to be written to `{}`", second.path),
                )
                .label(format!("the second one, from family `{}`", second.family))
                .reason("the second writer of a path would silently replace the first")
                .fix("give one of them another name")
        })
        .collect()
}

fn needs_are_met(subject: &Subject<'_>) -> Vec<Diagnostic> {
    stage::unmet(subject.artefacts)
        .into_iter()
        .map(|unmet| {
            let needed = unmet.artefact.stage().map_or("", |stage| stage.folder());
            let message = format!("`{}` needs {}", unmet.artefact.path, unmet.thing);
            let when = match unmet.provided {
                Some(stage) => format!("it comes with {}, which is not before {needed}", stage.folder()),
                None => "nothing in this environment brings it".to_owned(),
            };
            let reason = match unmet.thing {
                Thing::Crd(_) => "one object of an unknown kind makes the API server refuse its whole stage",
                _ => "the stage would wait for it until its timeout, again and again",
            };
            match disabled_part(subject, &unmet.thing) {
                Some(pointer) => subject
                    .error(202, &pointer, message)
                    .label("this part brings it")
                    .reason(reason)
                    .fix("take the part out of `disable`, or do without what needs it"),
                None => subject
                    .error(202, &unmet.artefact.pointer, message)
                    .label(when)
                    .reason(reason)
                    .fix("let an earlier stage bring it"),
            }
        })
        .collect()
}

/// The place in `disable` of the part that would have brought a kind.
fn disabled_part(subject: &Subject<'_>, thing: &Thing) -> Option<String> {
    let Thing::Crd(group) = thing else {
        return None;
    };
    let part = match group.as_str() {
        "kafka.strimzi.io" => Part::Strimzi,
        "dapr.io" => Part::Dapr,
        "keda.sh" => Part::Keda,
        "postgresql.cnpg.io" => Part::CloudnativePg,
        "external-secrets.io" => Part::ExternalSecrets,
        "monitoring.coreos.com" => Part::Prometheus,
        _ => return None,
    };
    let index = subject.written.spec.disable.iter().position(|it| *it == part)?;
    Some(format!("/disable/{index}"))
}
