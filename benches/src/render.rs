//! The report as Markdown.

use std::fmt::Write as _;

use crate::{
    measures::Measure,
    report::{Report, Section, Stamp},
};

/// `docs/benchmarks.md`.
pub(crate) fn document(report: &Report) -> String {
    let sections = Measure::ALL
        .into_iter()
        .filter_map(|measure| report.sections.get(measure.name()));
    let sections: Vec<&Section> = sections.filter(|section| !section.stamp.quick).collect();
    let mut text = "<!-- written by `cargo xtask bench core`; do not edit -->\n\n# Benchmarks\n\n".to_owned();
    text.push_str(
        "The task core as it is released, with PostgreSQL, Kafka and the clients on the same machine, so that what clients use \
         is taken from what they measure. Absolute numbers belong to their machine; ratios were taken within one run. A value \
         with two more in parentheses is the median, the least and the most of its rounds; whiskers in the plots mean the same.\n\n\
         `cargo xtask bench core` measures again and writes this page; `--only writes` does a part, `--quick` takes two minutes \
         and writes nothing. The programs are in [`benches/`](../benches/README.md).\n\n",
    );
    let first = sections.first().map(|section| section.stamp.clone());
    if let Some(stamp) = &first {
        let _ = writeln!(text, "{}\n", stamped(stamp));
    }
    text.push_str("| goal | wanted | measured | |\n|---|---|---|---|\n");
    for goal in sections.iter().flat_map(|section| &section.goals) {
        let verdict = if goal.met { "met" } else { "**missed**" };
        let _ = writeln!(text, "| {} | {} | {} | {verdict} |", goal.what, goal.wanted, goal.is);
    }
    for it in sections {
        let _ = write!(text, "\n{}", section(it, first.as_ref()));
    }
    text
}

/// One section. Where and when is left out where it is as in `usual`.
pub(crate) fn section(section: &Section, usual: Option<&Stamp>) -> String {
    let mut text = format!("## {}\n\n{}\n\n", section.title, section.method);
    let _ = writeln!(text, "| {} |", section.columns.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(section.columns.len()));
    for row in &section.rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    if usual.is_none() {
        for goal in &section.goals {
            let verdict = if goal.met { "met" } else { "MISSED" };
            let _ = writeln!(text, "- {}: {} (wanted {}): {verdict}", goal.what, goal.is, goal.wanted);
        }
        return text;
    }
    for plot in &section.plots {
        let _ = writeln!(text, "\n![{}, {}](benchmarks/{}.svg)", plot.title, plot.unit, plot.name);
    }
    if usual != Some(&section.stamp) {
        let _ = writeln!(text, "\nMeasured apart: {}", stamped(&section.stamp));
    }
    text
}

fn stamped(stamp: &Stamp) -> String {
    format!(
        "{} · {} · commit {} · {}",
        stamp.machine, stamp.versions, stamp.commit, stamp.date
    )
}
