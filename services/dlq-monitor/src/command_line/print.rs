//! What is printed: text for people, or one JSON document.

use serde::Serialize;

use crate::desk::view::{Action, Group, Head, Item, Shown, Statistics};

/// How it is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    pub(super) json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    action: &'a Action,
    items: &'a [Item],
}

impl Output {
    pub(super) fn statistics(self, all: &[Statistics]) {
        if self.json {
            return print_json(&all);
        }
        println!(
            "{:<14}{:>8}{:>12}{:>8}{:>8}{:>8}{:>10}{:>12}{:>11}",
            "topic", "waiting", "oldest", "5 min", "hour", "day", "replayed", "superseded", "discarded"
        );
        for it in all {
            println!(
                "{:<14}{:>8}{:>12}{:>8}{:>8}{:>8}{:>10}{:>12}{:>11}",
                it.topic,
                it.depth,
                age(it.oldest_seconds),
                it.arrived_5_minutes,
                it.arrived_hour,
                it.arrived_day,
                it.replayed_day,
                it.superseded_day,
                it.discarded_day
            );
        }
    }

    pub(super) fn groups(self, groups: &[Group]) {
        if self.json {
            return print_json(&groups);
        }
        for it in groups {
            let consumer = it.consumer.as_deref().unwrap_or("somebody");
            println!(
                "{}  {} letters of {} tasks, {} by {consumer}",
                it.id, it.letters, it.tasks, it.topic
            );
            println!("    {}: {}", it.reason, it.fault);
            if let Some(example) = it.example {
                println!("    first seen {}, such as {example}", it.first_seen);
            }
        }
        if groups.is_empty() {
            println!("nothing waits");
        }
    }

    pub(super) fn letters(self, letters: &[Head], more: bool) {
        if self.json {
            return print_json(&letters);
        }
        for it in letters {
            let event = it.event_type.as_deref().unwrap_or("no event");
            let task = it.task_id.map(|task| format!(" of task {task}")).unwrap_or_default();
            let consumer = it.consumer.as_deref().unwrap_or("somebody");
            println!("{}  {event}{task}, {}: {} at {consumer}", it.id, it.topic, it.reason);
        }
        if letters.is_empty() {
            println!("nothing waits that fits");
        }
        if more {
            println!("… and more: `--limit`");
        }
    }

    pub(super) fn letter(self, letter: &Shown) {
        // All of it is for reading: the form of a person and that of a program are the same.
        print_json(letter);
        if !self.json {
            hint("`dry-run` with its id says what a replay would do");
        }
    }

    pub(super) fn begun(self, action: &Action) {
        if !self.json {
            println!("replay {} of {} letters begins", action.id, action.selected);
        }
    }

    pub(super) fn progress(self, action: &Action) {
        if !self.json {
            println!(
                "{} of {} letters: {}",
                action.dealt_with(),
                action.selected,
                outcomes(action)
            );
        }
    }

    pub(super) fn report(self, action: &Action, items: &[Item]) {
        if self.json {
            return print_json(&Report { action, items });
        }
        let held = |it: &&Item| !matches!(it.outcome.as_deref(), None | Some("replayed" | "discarded"));
        for it in items.iter().filter(held) {
            let outcome = it.outcome.as_deref().unwrap_or_default();
            println!("{}  {outcome}: {}", it.letter, it.detail.as_deref().unwrap_or_default());
        }
        let would = if action.kind == "dry_run" { "would be " } else { "" };
        println!(
            "{} {}: {} letters {would}{}",
            action.kind.replace('_', " "),
            action.state,
            action.selected,
            outcomes(action)
        );
        if let Some(detail) = &action.detail {
            println!("{detail}");
        }
        if action.count("schema") > 0 {
            hint("what this release cannot read waits for one that can, or for `discard`");
        }
        if action.count("loop") > 0 {
            hint("what came back is replayed with `--again`, once its cause is mended");
        }
        if action.count("behind") > 0 {
            hint("what is behind another letter of its key goes once that one went or is discarded");
        }
    }
}

/// For people, and never in the way of a program.
pub(super) fn hint(hint: &str) {
    eprintln!("hint: {hint}");
}

fn outcomes(action: &Action) -> String {
    let counted = action.outcomes.as_object().into_iter().flatten();
    let counted: Vec<String> = counted.map(|(outcome, count)| format!("{outcome} {count}")).collect();
    if counted.is_empty() {
        "none yet".to_owned()
    } else {
        counted.join(", ")
    }
}

fn age(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.0} s"),
        s if s < 3_600.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

fn print_json<T: Serialize>(value: &T) {
    let text = serde_json::to_string_pretty(value);
    println!("{}", text.expect("texts and numbers can be written as JSON"));
}
