//! What is printed, where, and that nothing of the machine leaks into what is written.

use std::process::Stdio;

use crate::checkout::{Checkout, Run};

const ESCAPE: char = '\u{1b}';

fn broken() -> Checkout {
    let checkout = Checkout::good();
    checkout.edit_spec("profile: laptop", "profile: notebook");
    checkout
}

/// A spec with a warning: its waiver is taken away.
fn warned() -> Checkout {
    let checkout = Checkout::good();
    let spec = checkout.read("environments/minikube.yaml");
    let (before, _) = spec.split_once("waivers:").unwrap();
    checkout.write("environments/minikube.yaml", before);
    checkout
}

#[test]
fn warnings_are_printed_and_count_only_when_asked() {
    warned().gen_with(["check"]).ends_with(1).says("warning[TF0310]");
    let checkout = warned();
    checkout.gen_with([]).ends_with(0).says("1 warning(s)");
    checkout.gen_with(["check"]).ends_with(0);
    checkout.gen_with(["check", "--deny-warnings"]).ends_with(3);
}

#[test]
fn an_error_shows_line_caret_reason_and_fix() {
    let run = broken().gen_with(["check"]).ends_with(2);
    for part in [
        "error[TF0004]",
        "environments/minikube.yaml:4",
        "profile: notebook",
        "^^^^^^^^",
        "help",
    ] {
        assert!(run.stderr.contains(part), "no {part} in {}", run.stderr);
    }
    assert_eq!(run.stdout, "", "problems are for the error stream");
}

#[test]
fn colours_are_for_terminals() {
    let coloured = |variables: &[(&str, &str)]| {
        let checkout = broken();
        let run: Run = checkout
            .command()
            .arg("check")
            .envs(variables.iter().copied())
            .output()
            .unwrap()
            .into();
        run.ends_with(2).stderr.contains(ESCAPE)
    };
    assert!(!coloured(&[]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("CLICOLOR_FORCE", "0"), ("NO_COLOR", "1")]));
}

#[test]
fn machines_read_one_json_object_a_line() {
    let run = broken().gen_with(["check", "--format", "json"]).ends_with(2);
    let lines: Vec<serde_json::Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["code"], "TF0004");
    assert_eq!(lines[0]["line"], 4);
    assert_eq!(lines[0]["path"], "environments/minikube.yaml");
}

#[test]
fn github_shows_the_line_in_the_pull_request() {
    let run = broken().gen_with(["check", "--format", "github"]).ends_with(2);
    let start = "::error file=environments/minikube.yaml,line=4,col=10,title=TF0004::";
    assert!(run.stdout.starts_with(start), "{}", run.stdout);
}

#[test]
fn a_page_explains_each_code() {
    let checkout = Checkout::good();
    checkout
        .gen_with(["--explain", "TF0301"])
        .ends_with(0)
        .says("# TF0301: ");
    checkout
        .gen_with(["--explain", "tf0301"])
        .ends_with(0)
        .says("# TF0301: ");
    checkout
        .gen_with(["--explain", "TF9999"])
        .ends_with(4)
        .says("no diagnostic has the code");
}

#[test]
fn the_schema_is_printed_and_written_alike() {
    let checkout = Checkout::empty();
    let printed = checkout.gen_with(["schema"]).ends_with(0).stdout;
    checkout.gen_with(["schema", "--out", "docs/schema"]).ends_with(0);
    assert_eq!(checkout.read("docs/schema/environment.v1.json"), printed);
    let schema: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(schema["title"], "TaskFlow environment");
}

#[test]
fn files_are_listed_as_they_would_be_written() {
    let checkout = Checkout::good();
    let listed: Vec<String> = checkout
        .gen_with(["ls"])
        .ends_with(0)
        .stdout
        .lines()
        .map(str::to_owned)
        .collect();
    assert!(checkout.files("clusters").is_empty());
    checkout.gen_with([]).ends_with(0);
    let written: Vec<String> = checkout
        .files("clusters")
        .into_keys()
        .map(|path| format!("clusters/{path}"))
        .collect();
    assert_eq!(listed, written);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    for _ in 0..20 {
        let checkout = Checkout::good();
        let mut child = checkout
            .command()
            .arg("ls")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        Run::from(child.wait_with_output().unwrap()).ends_with(0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_printed_is_a_failure() {
    let checkout = Checkout::good();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run: Run = checkout.command().arg("schema").stdout(full).output().unwrap().into();
    run.ends_with(4);
}

#[test]
fn machine_locale_time_zone_and_threads_change_nothing() {
    let bytes = |jobs: &str, variables: &[(&str, &str)]| {
        let checkout = Checkout::all();
        let mut command = checkout.command();
        let run: Run = command
            .args(["-j", jobs])
            .envs(variables.iter().copied())
            .output()
            .unwrap()
            .into();
        run.ends_with(0);
        checkout.files("clusters")
    };
    let first = bytes("1", &[]);
    assert!(first.len() > 80);
    assert_eq!(bytes("8", &[]), first);
    assert_eq!(bytes("3", &[("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")]), first);
    assert_eq!(bytes("2", &[("TZ", "Pacific/Kiritimati"), ("LC_ALL", "C")]), first);
    assert_eq!(bytes("0", &[("HOME", "/nonexistent"), ("USER", "nobody")]), first);
}

#[test]
fn nothing_written_names_the_machine() {
    let checkout = Checkout::all();
    checkout.gen_with([]).ends_with(0);
    let here = checkout.path("").to_str().unwrap().to_owned();
    for (path, bytes) in checkout.files("clusters") {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains(&here) && !text.contains('\r'), "{path}");
        assert!(text.ends_with('\n'), "{path}");
    }
}
