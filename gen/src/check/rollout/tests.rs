//! Rules that no spec alone can break: they are broken here.

use super::*;
use crate::artefact::{Artefacts, Content};
use crate::emit::{self, Inputs};
use crate::resolve::{self, Environment};
use crate::source::Source;
use crate::spec::units::Date;
use crate::spec::{self, Written};
use catalogue::Catalogue;

const MINIKUBE: &str = include_str!("../../../../environments/minikube.yaml");

struct Case {
    written: Written,
    env: Environment,
    catalogue: Catalogue,
    artefacts: Artefacts,
}

impl Case {
    fn new() -> Self {
        let catalogue = Catalogue::taskflow();
        let source = Source::new("environments/minikube.yaml", MINIKUBE);
        let written = spec::parse(source, &catalogue).unwrap();
        let env = resolve::resolve(&written, spec::lock::Lock::default(), &catalogue);
        let artefacts = emit::emit(Inputs {
            env: &env,
            catalogue: &catalogue,
        });
        Self {
            written,
            env,
            catalogue,
            artefacts,
        }
    }

    fn found(&self, check: fn(&Subject<'_>) -> Vec<Diagnostic>) -> Vec<Diagnostic> {
        let today = Date {
            year: 2026,
            month: 11,
            day: 24,
        };
        check(&Subject::new(
            &self.written,
            &self.env,
            &self.catalogue,
            &self.artefacts,
            today,
        ))
    }

    /// Gives every release of ours less time than its parts may take.
    fn hurried() -> Self {
        let mut case = Self::new();
        for artefact in case.artefacts.iter_mut() {
            if let Content::Object(object) = &mut artefact.content
                && object.kind == "HelmRelease"
                && let Some(Value::Mapping(spec)) = object.value.get_mut("spec")
            {
                spec.insert("timeout".into(), "5m".into());
            }
        }
        case
    }
}

#[test]
fn a_release_is_given_more_time_than_its_rollout_and_its_migration() {
    let case = Case::new();
    assert!(case.found(rollout_fails_first).is_empty());
    assert!(case.found(migration_fails_first).is_empty());

    let case = Case::hurried();
    let with_schema = case
        .env
        .services
        .iter()
        .filter(|service| service.entry.has_migrations());
    assert_eq!(case.found(rollout_fails_first).len(), case.env.services.len());
    assert_eq!(case.found(migration_fails_first).len(), with_schema.count());
}

#[test]
fn digests_that_are_not_released_are_told_of() {
    let mut case = Case::new();
    assert!(case.found(digests_are_released).is_empty());
    let digest = format!("sha256:{}", "0".repeat(64));
    case.env.lock.images.insert("chat-api".to_owned(), digest);
    assert_eq!(case.found(digests_are_released).len(), 1);
}
