//! Killed at any moment, every file is old or new, and the next run completes.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::checkout::Checkout;

type Files = BTreeMap<String, Vec<u8>>;

/// Two specs that differ in most of their files.
fn both() -> (Checkout, String, String, Files, Files) {
    let checkout = Checkout::good();
    let old = checkout.read("environments/minikube.yaml");
    let new = old
        .replace("kubernetes: \"1.36\"", "kubernetes: \"1.35\"")
        .replace("branch: main", "branch: next")
        .replace("  keda: {}", "  hpa: {}")
        .replace("retention: 7d", "retention: 6d");
    let files = |spec: &str| {
        checkout.write("environments/minikube.yaml", spec);
        checkout.gen_with([]).ends_with(0);
        checkout.files("clusters")
    };
    let of_new = files(&new);
    let of_old = files(&old);
    (checkout, old, new, of_old, of_new)
}

/// The files that are gen's, without what an interrupted run left beside them.
fn without_temporary(files: Files) -> Files {
    files
        .into_iter()
        .filter(|(path, _)| !path.starts_with(".gen-tmp-"))
        .collect()
}

fn interrupt(child: &mut Child, politely: bool) {
    if politely {
        let status = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        assert!(status.is_ok());
    } else {
        // It may have ended by itself.
        let _ = child.kill();
    }
    child.wait().unwrap();
}

/// Lets time pass without giving up the processor: the moments are fractions of a millisecond.
fn wait(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Waits until the first of the files is new, or the run is over.
fn wait_for_the_first_file(checkout: &Checkout, child: &mut Child, new: &Files, old: &Files) {
    let (first, bytes) = new
        .iter()
        .find(|(path, bytes)| old.get(*path).is_some_and(|before| before != *bytes))
        .unwrap();
    let path = checkout.path(&format!("clusters/{first}"));
    while std::fs::read(&path).ok().as_ref() != Some(bytes) {
        if child.try_wait().unwrap().is_some() {
            return;
        }
    }
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_every_file_old_or_new_and_the_next_one_completes() {
    const RUNS: u32 = 24;
    let (checkout, old, new, of_old, of_new) = both();
    checkout.write("environments/minikube.yaml", &new);
    let begin = Instant::now();
    checkout.gen_with([]).ends_with(0);
    let whole = begin.elapsed();
    let mut mixed = 0;
    for run in 0..RUNS {
        checkout.write("environments/minikube.yaml", &old);
        checkout.gen_with([]).ends_with(0);
        assert_eq!(checkout.files("clusters"), of_old, "the run before completes");

        checkout.write("environments/minikube.yaml", &new);
        let mut child = checkout
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Half of them at any moment, half of them while files are being replaced.
        if run % 2 == 0 {
            wait(whole * run / RUNS);
        } else {
            wait_for_the_first_file(&checkout, &mut child, &of_new, &of_old);
            wait(Duration::from_micros(u64::from(run) * 10));
        }
        interrupt(&mut child, run % 4 < 2);

        let found = without_temporary(checkout.files("clusters"));
        for (path, bytes) in &found {
            let whole = of_old.get(path) == Some(bytes) || of_new.get(path) == Some(bytes);
            assert!(whole, "{path} is neither old nor new");
        }
        for path in of_old.keys().filter(|path| of_new.contains_key(*path)) {
            assert!(found.contains_key(path), "{path} is gone");
        }
        mixed += u32::from(found != of_old && found != of_new);

        checkout.gen_with([]).ends_with(0);
        assert_eq!(
            checkout.files("clusters"),
            of_new,
            "the next run completes, and cleans up"
        );
    }
    assert!(mixed > 0, "no run was stopped between two files: this proved nothing");
}

#[cfg(unix)]
#[test]
fn runs_side_by_side_end_with_a_whole_tree() {
    let (checkout, _, new, _, of_new) = both();
    checkout.write("environments/minikube.yaml", &new);
    let children: Vec<Child> = (0..8)
        .map(|_| {
            checkout
                .command()
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        child.wait().unwrap();
    }
    checkout.gen_with([]).ends_with(0);
    assert_eq!(checkout.files("clusters"), of_new);
}
