//! What bad input gets: a clear diagnostic and the documented exit code, never a panic.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use crate::checkout::{Checkout, GOOD};

const SPEC: &str = "environments/minikube.yaml";

#[test]
fn an_unknown_environment_is_named_with_the_known_ones() {
    Checkout::good()
        .gen_with(["--env", "eks"])
        .ends_with(4)
        .says("no environment `eks`")
        .says("known: minikube");
}

#[test]
fn without_any_spec_there_is_nothing_to_do() {
    Checkout::empty().gen_with([]).ends_with(4).says("no environment in");
}

#[test]
fn outside_of_a_checkout_it_says_where_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let checkout = Checkout::empty();
    let mut command = checkout.command();
    let run: crate::checkout::Run = command.current_dir(folder.path()).output().unwrap().into();
    run.ends_with(4).says("no folder `environments/` here or above");
}

#[test]
fn a_folder_instead_of_a_spec_cannot_be_read() {
    let checkout = Checkout::empty();
    fs::create_dir(checkout.path(SPEC)).unwrap();
    checkout.gen_with([]).ends_with(4).says("TF0011");
}

#[test]
fn a_spec_that_is_not_utf8_is_refused_with_its_line() {
    let checkout = Checkout::empty();
    let mut bytes = b"apiVersion: taskflow.dev/v1\n# gr".to_vec();
    bytes.extend([0xfc, b'n', b'\n']);
    checkout.write(SPEC, bytes);
    checkout.gen_with([]).ends_with(2).says("TF0012").says("line 2");
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_fine() {
    let checkout = Checkout::good();
    checkout.gen_with([]).ends_with(0);
    let unix = checkout.files("clusters");
    checkout.write(SPEC, format!("\u{feff}{}", GOOD.replace('\n', "\r\n")));
    checkout.gen_with([]).ends_with(0);
    assert_eq!(checkout.files("clusters"), unix);
}

#[test]
fn a_huge_file_is_refused_at_once() {
    for mebibytes in [2, 20] {
        let checkout = Checkout::empty();
        checkout.write(SPEC, "# padding\n".repeat(mebibytes * 105_000));
        let begin = Instant::now();
        checkout.gen_with([]).ends_with(2).says("TF0013");
        assert!(begin.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn an_alias_bomb_is_refused_at_once() {
    let checkout = Checkout::empty();
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{below}]").unwrap();
    }
    checkout.write(SPEC, bomb);
    let begin = Instant::now();
    checkout.gen_with([]).ends_with(2).says("TF0010");
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[test]
fn deep_nesting_is_refused_without_a_crash() {
    let checkout = Checkout::empty();
    checkout.write(SPEC, format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let run = checkout.gen_with([]).ends_with(2);
    assert!(
        run.stderr.contains("TF0010") || run.stderr.contains("TF0008"),
        "{run:#?}"
    );
}

#[test]
fn odd_files_are_refused_without_a_crash() {
    for text in [
        "",
        "\n",
        "---\n",
        "...",
        "null",
        "[]",
        "a",
        "? a",
        "- a: b\n  - c",
        "\t",
        "{",
        "!!binary x",
        "%YAML 9.9\n---\n",
    ] {
        let checkout = Checkout::empty();
        checkout.write(SPEC, text);
        checkout.gen_with([]).ends_with(2);
    }
}

#[test]
fn every_problem_is_said_in_one_run() {
    let checkout = Checkout::good();
    checkout.edit_spec("profile: laptop", "profile: notebook");
    checkout.edit_spec("eventsPerSecond: 2", "eventsPerSecond: 0");
    checkout.edit_spec("metrics: { retention: 7d }", "metrics: { retension: 7d }");
    checkout
        .gen_with([])
        .ends_with(2)
        .says("TF0004")
        .says("TF0007")
        .says("TF0001")
        .says("3 error(s)");
}

#[test]
fn a_broken_lock_is_shown_in_the_lock() {
    let checkout = Checkout::good();
    checkout.write("environments/minikube.lock.yaml", "images: { chat-api: latest }\n");
    checkout
        .gen_with([])
        .ends_with(2)
        .says("TF0017")
        .says("environments/minikube.lock.yaml:1");
}

#[test]
fn a_file_with_a_spec_s_name_but_no_spec_is_not_overlooked() {
    let checkout = Checkout::good();
    checkout.write("environments/.swap.yaml", "not a spec\n");
    checkout.write("environments/notes.txt", "not a spec\n");
    checkout.gen_with([]).ends_with(0);
    checkout.write("environments/other.yaml", "not a spec\n");
    checkout.gen_with([]).ends_with(2).says("environments/other.yaml");
}

#[test]
fn unknown_arguments_end_with_the_usage() {
    Checkout::good().gen_with(["--envs", "oke"]).ends_with(2).says("--env");
}
