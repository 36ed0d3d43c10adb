//! What a spec cannot do: break the compiler's own expressions. Here the catalogue does it.

use super::super::{Subject, check};
use crate::diagnostic::{Code, Diagnostic};
use crate::emit::{self, Inputs};
use crate::resolve;
use crate::source::Source;
use crate::spec;
use crate::spec::lock::Lock;
use catalogue::Catalogue;

const SPEC: &str = include_str!("../../../../environments/gke.yaml");

fn findings(catalogue: &Catalogue) -> Vec<Diagnostic> {
    let written = spec::parse(Source::new("environments/gke.yaml", SPEC), catalogue).unwrap();
    let env = resolve::resolve(&written, Lock::default(), catalogue);
    let artefacts = emit::emit(Inputs { env: &env, catalogue });
    let subject = Subject::new(&written, &env, catalogue, &artefacts, "2026-11-24".parse().unwrap());
    let ours = 710..730;
    check(&subject)
        .into_iter()
        .filter(|found| ours.contains(&found.code.0))
        .collect()
}

#[test]
fn everything_emitted_asks_for_what_is_there() {
    assert_eq!(findings(&Catalogue::taskflow()), []);
}

#[test]
fn an_alert_of_ours_whose_metric_is_gone_is_found() {
    let mut catalogue = Catalogue::taskflow();
    catalogue
        .metrics
        .retain(|metric| metric.name != catalogue::metrics::DLQ_DEPTH.name);
    let found = findings(&catalogue);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, Code(711));
    assert!(found[0].message.contains("DLQDepthHigh") && found[0].message.contains("dlq_depth"));
}

#[test]
fn an_alert_of_ours_whose_label_is_gone_is_found() {
    let mut catalogue = Catalogue::taskflow();
    for metric in &mut catalogue.metrics {
        if metric.name == catalogue::metrics::DLQ_DEPTH.name {
            metric.labels = &[];
        }
    }
    let found = findings(&catalogue);
    assert_eq!(found.iter().map(|it| it.code).collect::<Vec<_>>(), [Code(712)]);
    assert!(found[0].message.contains("`topic`"));
}
