//! Rules over what was emitted, whoever emitted it.

use super::{Rule, Subject, rule};
use crate::artefact::Thing;
use crate::diagnostic::Diagnostic;
use crate::spec::Part;
use crate::stage::{self, Unmet};
use std::collections::BTreeMap;

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
    let mut by_thing: BTreeMap<Thing, Vec<Unmet<'_>>> = BTreeMap::new();
    for unmet in stage::unmet(subject.artefacts) {
        by_thing.entry(unmet.thing.clone()).or_default().push(unmet);
    }
    by_thing
        .into_values()
        .map(|unmet| need_is_unmet(subject, &unmet))
        .collect()
}

/// One finding for everything that needs the same thing; the first of them is named.
fn need_is_unmet(subject: &Subject<'_>, all: &[Unmet<'_>]) -> Diagnostic {
    let unmet = &all[0];
    let needed = unmet.artefact.stage().map_or("", |stage| stage.folder());
    let message = match all.len() - 1 {
        0 => format!("`{}` needs {}", unmet.artefact.path, unmet.thing),
        more => format!("`{}` and {more} more need {}", unmet.artefact.path, unmet.thing),
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artefact::{Artefacts, Stage, meta};
    use crate::source::Source;
    use crate::spec::units::Date;
    use catalogue::Catalogue;
    use k8s_openapi::api::core::v1::ConfigMap;

    /// What the rules say about artefacts that no emitter would make.
    fn findings(artefacts: &Artefacts) -> Vec<Diagnostic> {
        let catalogue = Catalogue::taskflow();
        let text = include_str!("../../../environments/minikube.yaml");
        let written = crate::spec::parse(Source::new("minikube.yaml", text), &catalogue).unwrap();
        let env = crate::resolve::resolve(&written, crate::spec::lock::Lock::default(), &catalogue);
        let today = Date {
            year: 2026,
            month: 11,
            day: 23,
        };
        let subject = Subject::new(&written, &env, &catalogue, artefacts, today);
        let mut found = paths_are_taken_once(&subject);
        found.extend(needs_are_met(&subject));
        found
    }

    fn config_map(namespace: &str) -> ConfigMap {
        ConfigMap {
            metadata: meta(namespace, "twice"),
            ..ConfigMap::default()
        }
    }

    #[test]
    fn the_second_writer_of_a_path_is_named() {
        let mut artefacts = Artefacts::default();
        artefacts.add("one", Stage::Base, "/kafka", &config_map("flux-system"));
        assert!(findings(&artefacts).is_empty());
        artefacts.add("other", Stage::Base, "/tracing", &config_map("flux-system"));
        let found = findings(&artefacts);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].code.to_string(), "TF0201");
        assert!(found[0].label.contains("`other`"));
    }

    #[test]
    fn everything_that_lacks_the_same_thing_is_one_finding() {
        let mut artefacts = Artefacts::default();
        artefacts.add("one", Stage::Base, "/kafka", &config_map("nowhere"));
        artefacts.add("one", Stage::Data, "/kafka", &config_map("nowhere"));
        let found = findings(&artefacts);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].message,
            "`00-base/configmap-twice.yaml` and 1 more need namespace nowhere"
        );
    }
}
