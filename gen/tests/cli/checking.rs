//! `gen check`: what it calls each kind of difference, and that it misses none.

use std::fs;

use crate::checkout::Checkout;

const SOURCE: &str = "clusters/minikube/flux/gitrepository-taskflow.yaml";

#[test]
fn nothing_written_yet_is_missing() {
    let checkout = Checkout::good();
    checkout
        .gen_with(["check"])
        .ends_with(1)
        .says(&format!("missing  {SOURCE}"));
    assert!(checkout.files("clusters").is_empty(), "check writes nothing");
}

#[test]
fn what_was_just_written_is_as_it_should_be() {
    let checkout = Checkout::written();
    checkout
        .gen_with(["check"])
        .ends_with(0)
        .says("files are as they should be");
    assert_eq!(checkout.gen_with(["check", "--quiet"]).ends_with(0).stdout, "");
}

#[test]
fn a_change_of_any_byte_of_any_file_is_found() {
    let checkout = Checkout::written();
    let files = checkout.files("clusters");
    assert!(files.len() > 20);
    // All files at once, at other places each time: the first byte, the last, and some in between.
    for round in 0..5 {
        for (path, bytes) in &files {
            let mut changed = bytes.clone();
            let at = match round {
                0 => 0,
                1 => changed.len() - 1,
                _ => path.len() * 7919 * round % changed.len(),
            };
            changed[at] ^= 1;
            checkout.write(&format!("clusters/{path}"), &changed);
        }
        let run = checkout.gen_with(["check", "--quiet"]).ends_with(1);
        for path in files.keys() {
            let named = run
                .stdout
                .lines()
                .any(|line| line.ends_with(&format!(" clusters/{path}")));
            assert!(named, "round {round}, {path}: {run:#?}");
        }
    }
    for (path, bytes) in &files {
        checkout.write(&format!("clusters/{path}"), bytes);
    }
    checkout.gen_with(["check"]).ends_with(0);
}

#[test]
fn an_edit_by_hand_is_edited() {
    let checkout = Checkout::written();
    let text = checkout.read(SOURCE);
    checkout.write(SOURCE, text.replace("branch: main", "branch: mine"));
    checkout
        .gen_with(["check"])
        .ends_with(1)
        .says(&format!("edited   {SOURCE}"));
}

#[test]
fn a_change_of_the_spec_makes_files_stale() {
    let checkout = Checkout::written();
    checkout.edit_spec("branch: main", "branch: next");
    checkout
        .gen_with(["check"])
        .ends_with(1)
        .says(&format!("stale    {SOURCE}"))
        .says("run `cargo run -p gen -- --env minikube`");
}

#[test]
fn a_deleted_file_is_missing() {
    let checkout = Checkout::written();
    fs::remove_file(checkout.path(SOURCE)).unwrap();
    checkout
        .gen_with(["check"])
        .ends_with(1)
        .says(&format!("missing  {SOURCE}"));
}

#[test]
fn a_file_of_somebody_else_is_foreign() {
    let checkout = Checkout::written();
    checkout.write("clusters/minikube/00-base/mine.yaml", "kind: Mine\n");
    checkout
        .gen_with(["check"])
        .ends_with(1)
        .says("foreign  clusters/minikube/00-base/mine.yaml");
}

#[cfg(unix)]
#[test]
fn a_link_instead_of_a_file_is_foreign() {
    let checkout = Checkout::written();
    let elsewhere = checkout.path("elsewhere.yaml");
    fs::rename(checkout.path(SOURCE), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, checkout.path(SOURCE)).unwrap();
    checkout
        .gen_with(["check"])
        .ends_with(1)
        .says(&format!("foreign  {SOURCE}"));
}

#[test]
fn without_the_list_of_owned_files_the_list_is_missing() {
    let checkout = Checkout::written();
    fs::remove_file(checkout.path("clusters/minikube/owned.json")).unwrap();
    checkout
        .gen_with(["check"])
        .ends_with(1)
        .says("missing  clusters/minikube/owned.json");
    checkout.gen_with([]).ends_with(0);
    checkout.gen_with(["check"]).ends_with(0);
}
