use super::*;
use crate::resolve::Environment;
use crate::source::Source;
use catalogue::Catalogue;
use serde_yaml::Value;

const ENVIRONMENTS: [(&str, &str); 4] = [
    ("aks", include_str!("../../../../environments/aks.yaml")),
    ("gke", include_str!("../../../../environments/gke.yaml")),
    ("minikube", include_str!("../../../../environments/minikube.yaml")),
    ("oke", include_str!("../../../../environments/oke.yaml")),
];

fn environment(name: &str, text: &str) -> (Environment, Artefacts) {
    let catalogue = Catalogue::taskflow();
    let written = crate::spec::parse(Source::new(name, text), &catalogue).unwrap();
    let env = crate::resolve::resolve(&written, crate::spec::lock::Lock::default(), &catalogue);
    let artefacts = crate::emit::emit(Inputs {
        env: &env,
        catalogue: &catalogue,
    });
    (env, artefacts)
}

fn text<'a>(object: &'a Object, pointer: &str) -> &'a str {
    object
        .at(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{} has no {pointer}", object.name))
}

/// The Kustomizations of the stages with what each waits for.
fn stages(artefacts: &Artefacts) -> Vec<(&Object, Vec<&str>)> {
    artefacts
        .of_kind("Kustomization")
        .filter(|(_, object)| object.name != ENTRY)
        .map(|(_, object)| {
            let waits_for = object.at("/spec/dependsOn").and_then(Value::as_sequence);
            let names = waits_for.into_iter().flatten();
            (object, names.filter_map(|it| it.get("name")?.as_str()).collect())
        })
        .collect()
}

#[test]
fn every_folder_with_objects_is_applied_once_and_nothing_else_is() {
    for (name, spec) in ENVIRONMENTS {
        let (_, artefacts) = environment(name, spec);
        let folders: BTreeSet<String> = artefacts
            .objects()
            .filter(|(artefact, _)| artefact.stage().is_some())
            .filter_map(|(artefact, _)| Some(format!("./clusters/{name}/{}", artefact.path.rsplit_once('/')?.0)))
            .collect();
        let mut applied: Vec<String> = stages(&artefacts)
            .into_iter()
            .filter(|(object, _)| object.name != SECRETS)
            .map(|(object, _)| text(object, "/spec/path").to_owned())
            .collect();
        applied.sort();
        assert_eq!(applied, folders.iter().cloned().collect::<Vec<_>>(), "{name}");
        // A Kustomization takes every file below its path: one folder inside another would be applied twice.
        for outer in &folders {
            let inside = folders.iter().filter(|it| it.starts_with(&format!("{outer}/")));
            assert_eq!(inside.count(), 0, "{outer} holds another stage");
        }
    }
}

#[test]
fn stages_wait_for_the_stage_before_and_share_one_source() {
    for (name, spec) in ENVIRONMENTS {
        let (_, artefacts) = environment(name, spec);
        let stages = stages(&artefacts);
        let rank = |wanted: &str| {
            let (object, _) = stages.iter().find(|(object, _)| object.name == wanted).unwrap();
            let path = text(object, "/spec/path");
            let folder = path.trim_start_matches(&format!("./clusters/{name}/"));
            let stage = Stage::ALL.iter().position(|stage| folder.starts_with(stage.folder()));
            // Encrypted files stand between the operators and the configuration.
            stage.map_or(3, |position| if position < 2 { position * 2 } else { position * 2 + 1 })
        };
        for (object, waits_for) in &stages {
            assert_eq!(text(object, "/spec/sourceRef/name"), SOURCE);
            assert!(object.at("/spec/sourceRef/namespace").is_none());
            if waits_for.is_empty() {
                assert_eq!(object.name, "base", "{name}: only the first stage waits for nothing");
            }
            let own = rank(&object.name);
            let before: BTreeSet<usize> = waits_for.iter().map(|name| rank(name)).collect();
            let nearest = stages.iter().map(|(it, _)| rank(&it.name)).filter(|it| *it < own).max();
            assert_eq!(before, nearest.into_iter().collect(), "{name}: {}", object.name);
            // It waits for all of the stage before, not for some of it.
            let all = stages.iter().filter(|(it, _)| Some(rank(&it.name)) == nearest).count();
            assert_eq!(waits_for.len(), all, "{name}: {}", object.name);
        }
        assert_eq!(
            artefacts
                .of_kind("GitRepository")
                .filter(|(it, _)| it.place == Place::Entry)
                .count(),
            1
        );
    }
}

#[test]
fn every_stage_can_fail_retry_and_be_pruned() {
    for (name, spec) in ENVIRONMENTS {
        let (env, artefacts) = environment(name, spec);
        for (object, _) in stages(&artefacts) {
            assert_eq!(object.at("/spec/wait"), Some(&Value::Bool(true)));
            assert_eq!(object.at("/spec/prune"), Some(&Value::Bool(true)));
            assert_eq!(object.at("/spec/force"), Some(&Value::Bool(false)));
            assert!(object.at("/spec/postBuild").is_none());
            let own: Duration = text(object, "/spec/timeout").parse().unwrap();
            let retry: Duration = text(object, "/spec/retryInterval").parse().unwrap();
            assert!(retry < own && own < text(object, "/spec/interval").parse().unwrap());
            let suspended = object.at("/spec/suspend") == Some(&Value::Bool(true));
            let waits_for_release = object.name.starts_with("apps-") || object.name == "verify";
            assert_eq!(suspended, waits_for_release && !env.released, "{name}: {}", object.name);
            let folder = text(object, "/spec/path")
                .trim_start_matches(&format!("./clusters/{name}/"))
                .to_owned();
            for (artefact, release) in artefacts.of_kind("HelmRelease") {
                if artefact.path.starts_with(&format!("{folder}/")) {
                    let release: Duration = text(release, "/spec/timeout").parse().unwrap();
                    assert!(own > release, "{name}: {folder}");
                }
            }
        }
    }
}

#[test]
fn encrypted_files_are_decrypted_by_a_stage_of_their_own() {
    for (name, spec) in ENVIRONMENTS {
        let (env, artefacts) = environment(name, spec);
        let secrets = artefacts
            .of_kind("Kustomization")
            .find(|(_, object)| object.name == SECRETS);
        assert_eq!(secrets.is_some(), matches!(env.secrets, Secrets::Sops(_)), "{name}");
        if let Some((_, object)) = secrets {
            assert_eq!(text(object, "/spec/path"), format!("./secrets/{name}"));
            assert_eq!(text(object, "/spec/decryption/secretRef/name"), DECRYPTION_KEY);
        }
    }
}
