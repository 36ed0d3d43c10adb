//! `gen`: what it overwrites, deletes and refuses to touch.

use std::fs;

use crate::checkout::Checkout;

const SOURCE: &str = "clusters/minikube/flux/gitrepository-taskflow.yaml";

#[test]
fn writing_twice_changes_nothing() {
    let checkout = Checkout::written();
    let before = checkout.files("clusters");
    checkout.gen_with([]).ends_with(0).says("0 written, 0 removed");
    assert_eq!(checkout.files("clusters"), before);
}

#[test]
fn one_environment_can_be_written_alone() {
    let checkout = Checkout::all();
    checkout.gen_with(["--env", "oke"]).ends_with(0);
    let folders: Vec<_> = fs::read_dir(checkout.path("clusters"))
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert_eq!(folders, ["oke"]);
}

#[test]
fn what_is_no_longer_made_is_deleted_with_its_empty_folders() {
    let checkout = Checkout::written();
    let before = checkout.files("clusters");
    checkout.edit_spec("autoscaler:\n  keda: {}", "autoscaler:\n  hpa: {}");
    checkout.gen_with([]).ends_with(0);
    let after = checkout.files("clusters");
    let gone: Vec<&String> = before.keys().filter(|path| !after.contains_key(*path)).collect();
    assert!(gone.iter().any(|path| path.contains("scaledobject")), "{gone:?}");
    checkout.gen_with(["check"]).ends_with(0);
}

#[test]
fn an_edited_file_is_overwritten_and_named() {
    let checkout = Checkout::written();
    let good = checkout.read(SOURCE);
    checkout.write(SOURCE, "edited: true\n");
    checkout
        .gen_with([])
        .ends_with(0)
        .says(&format!("overwrote {SOURCE}: it had been edited by hand"));
    assert_eq!(checkout.read(SOURCE), good);
}

#[test]
fn an_edited_file_that_is_no_longer_made_is_kept() {
    let checkout = Checkout::written();
    let scaled = "clusters/minikube/50-apps/audit/scaledobject-audit.yaml";
    let text = checkout.read(scaled);
    checkout.write(scaled, format!("{text}# mine\n"));
    checkout.edit_spec("autoscaler:\n  keda: {}", "autoscaler:\n  hpa: {}");
    checkout.gen_with([]).ends_with(0).says(&format!("kept {scaled}"));
    assert!(checkout.read(scaled).ends_with("# mine\n"));
}

#[test]
fn a_foreign_file_is_kept() {
    let checkout = Checkout::written();
    checkout.write("clusters/minikube/notes.txt", "mine\n");
    checkout
        .gen_with([])
        .ends_with(0)
        .says("kept clusters/minikube/notes.txt: gen did not write it");
    assert_eq!(checkout.read("clusters/minikube/notes.txt"), "mine\n");
}

#[test]
fn a_foreign_file_in_the_way_stops_everything() {
    let checkout = Checkout::good();
    checkout.write(SOURCE, "mine: true\n");
    checkout.gen_with([]).ends_with(4).says("move it away");
    let files = checkout.files("clusters");
    assert_eq!(files.len(), 1, "nothing was written: {:?}", files.keys());
    assert_eq!(checkout.read(SOURCE), "mine: true\n");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    use std::os::unix::fs::symlink;
    for link in ["clusters", "clusters/minikube", "clusters/minikube/00-base", SOURCE] {
        let checkout = Checkout::good();
        let target = checkout.path("target");
        if link == SOURCE {
            checkout.write("target", "precious\n");
        } else {
            fs::create_dir(&target).unwrap();
        }
        fs::create_dir_all(checkout.path(link).parent().unwrap()).unwrap();
        symlink(&target, checkout.path(link)).unwrap();
        checkout.gen_with([]).ends_with(4);
        if link == SOURCE {
            assert_eq!(checkout.read("target"), "precious\n");
        } else {
            assert!(checkout.files("target").is_empty(), "{link}");
        }
    }
}

#[test]
fn a_file_where_a_folder_belongs_stops_everything() {
    for path in ["clusters", "clusters/minikube", "clusters/minikube/00-base"] {
        let checkout = Checkout::good();
        checkout.write(path, "a file\n");
        checkout.gen_with([]).ends_with(4).says("is not a folder");
        assert_eq!(checkout.read(path), "a file\n");
    }
}

#[test]
fn a_folder_where_a_file_belongs_stops_everything() {
    let checkout = Checkout::good();
    fs::create_dir_all(checkout.path(SOURCE)).unwrap();
    checkout.gen_with([]).ends_with(4);
}

/// A write that fails in the middle, as on a full disk: the shell lets no file grow beyond a few KiB.
#[cfg(unix)]
#[test]
fn a_failed_write_leaves_everything_as_it_was() {
    let checkout = Checkout::written();
    let before = checkout.files("clusters");
    checkout.edit_spec("branch: main", "branch: next");
    let mut shell = std::process::Command::new("sh");
    shell.current_dir(checkout.path(""));
    shell.args([
        "-c",
        "trap '' XFSZ; ulimit -f 2; exec \"$0\"",
        env!("CARGO_BIN_EXE_gen"),
    ]);
    let run: crate::checkout::Run = shell.output().unwrap().into();
    run.ends_with(4).says("nothing was changed");
    assert_eq!(checkout.files("clusters"), before);
    checkout.gen_with([]).ends_with(0);
    checkout.gen_with(["check"]).ends_with(0);
}

#[test]
fn one_bad_spec_keeps_all_others_from_being_written() {
    let checkout = Checkout::all();
    let spec = checkout.read("environments/oke.yaml");
    checkout.write(
        "environments/oke.yaml",
        spec.replace("profile: free-tier", "profile: free"),
    );
    checkout
        .gen_with([])
        .ends_with(2)
        .says("TF0004")
        .says("nothing was written");
    assert!(checkout.files("clusters").is_empty());
}
