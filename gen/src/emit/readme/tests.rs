use super::*;
use crate::source::Source;
use catalogue::Catalogue;

const ENVIRONMENTS: [(&str, &str); 4] = [
    ("aks", include_str!("../../../../environments/aks.yaml")),
    ("gke", include_str!("../../../../environments/gke.yaml")),
    ("minikube", include_str!("../../../../environments/minikube.yaml")),
    ("oke", include_str!("../../../../environments/oke.yaml")),
];

fn readme(name: &str, text: &str) -> String {
    let catalogue = Catalogue::taskflow();
    let written = crate::spec::parse(Source::new(name, text), &catalogue).unwrap();
    let env = crate::resolve::resolve(&written, crate::spec::lock::Lock::default(), &catalogue);
    let artefacts = crate::emit::emit(Inputs {
        env: &env,
        catalogue: &catalogue,
    });
    let page = artefacts.iter().find(|artefact| artefact.path == "README.md").unwrap();
    match &page.content {
        crate::artefact::Content::Text(text) => text.clone(),
        crate::artefact::Content::Object(_) => panic!("a page is text"),
    }
}

#[test]
fn every_table_row_has_as_many_cells_as_its_head() {
    for (name, spec) in ENVIRONMENTS {
        let page = readme(name, spec);
        let mut head: Option<usize> = None;
        for line in page.lines() {
            if !line.starts_with('|') {
                head = None;
                continue;
            }
            let cells = line.replace("\\|", "").matches('|').count();
            assert_eq!(*head.get_or_insert(cells), cells, "{name}: {line}");
        }
    }
}

#[test]
fn every_service_topic_default_and_waiver_is_there() {
    for (name, spec) in ENVIRONMENTS {
        let page = readme(name, spec);
        for entry in Catalogue::taskflow().services {
            assert!(
                page.contains(&format!("| {} |", entry.app_id)),
                "{name}: {}",
                entry.app_id
            );
        }
        for topic in Catalogue::taskflow().topics {
            assert!(page.contains(&format!("| {} |", topic.name)), "{name}: {}", topic.name);
        }
        assert_eq!(page.contains("TF0310"), spec.contains("TF0310"), "{name}");
        assert!(page.contains("| `/autoscaler/cpu` | 70% |"), "{name}");
        assert!(!page.contains("{{") && !page.contains("\n\n\n"), "{name}");
    }
}

#[test]
fn a_cell_stays_one_cell() {
    assert_eq!(cell("a | b\nc "), "a \\| b c");
}
