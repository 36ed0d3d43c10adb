//! The chart, with a real helm: it lints strictly with each service's values, and what it renders is committed.

use snapshot_tests::rendered;

use crate::setup::{committed_environments, root, tool};

#[test]
fn the_chart_lints_strictly_with_the_values_of_every_release() {
    let helm = tool("TASKFLOW_HELM");
    for environment in committed_environments() {
        for release in rendered::releases(&environment).unwrap() {
            rendered::lint(&root(), &helm, &release).unwrap_or_else(|error| panic!("{error:#}"));
        }
    }
}

#[test]
fn what_the_chart_renders_is_what_is_committed() {
    let wanted = rendered::render(&root(), &tool("TASKFLOW_HELM")).unwrap_or_else(|error| panic!("{error:#}"));
    let committed = rendered::committed(&root()).unwrap();
    let mut wrong = Vec::new();
    for (path, text) in &wanted {
        match committed.get(path) {
            None => wrong.push(format!("{path} is missing")),
            Some(committed) if committed != text => {
                wrong.push(format!("{path} is stale, {}", first_difference(committed, text)));
            }
            Some(_) => {}
        }
    }
    for path in committed.keys().filter(|path| !wanted.contains_key(*path)) {
        wrong.push(format!("{path} is rendered by no release"));
    }
    assert!(
        wrong.is_empty(),
        "{}\nrun `cargo xtask render` and read the difference",
        wrong.join("\n")
    );
}

#[test]
fn values_that_the_charts_schema_does_not_know_are_refused() {
    let helm = tool("TASKFLOW_HELM");
    for environment in committed_environments() {
        let mut release = rendered::releases(&environment).unwrap().remove(0);
        release.values["noSuchValue"] = true.into();
        let error = rendered::lint(&root(), &helm, &release).unwrap_err();
        assert!(format!("{error:#}").contains("noSuchValue"), "{error:#}");
    }
}

/// Where two texts part.
fn first_difference(committed: &str, rendered: &str) -> String {
    let mut lines = committed.lines().zip(rendered.lines()).enumerate();
    match lines.find(|(_, (committed, rendered))| committed != rendered) {
        Some((index, (committed, rendered))) => {
            format!("line {}: committed {committed:?}, rendered {rendered:?}", index + 1)
        }
        None => "one is longer".into(),
    }
}

#[test]
fn the_first_difference_is_named() {
    assert_eq!(
        first_difference("a\nb\n", "a\nc\n"),
        "line 2: committed \"b\", rendered \"c\""
    );
}
