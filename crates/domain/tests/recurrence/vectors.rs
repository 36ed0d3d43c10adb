//! Every line of `vectors/*.jsonl`, as `vectors/README.md` describes them.

use std::collections::BTreeSet;

use domain::recurrence::error::RecurrenceError;
use domain::recurrence::next::{Next, Occurrence};
use domain::recurrence::rule::Rule;
use domain::recurrence::{Basis, CatchUp, MonthEnd, OccurrenceKey, Recurrence, Terms};
use domain::time::Zone;
use jiff::civil::DateTime;
use serde_json::{Value, json};

const BASIC: &str = "%Y%m%dT%H%M%S";

#[test]
fn the_examples_and_errata_of_rfc_5545_come_out_as_written() {
    run(include_str!("../../vectors/rfc5545.jsonl"), occurrences);
}

#[test]
fn clock_changes_and_month_ends_come_out_as_written() {
    run(include_str!("../../vectors/zoned.jsonl"), |case| {
        let upcoming = recurrence(case).preview(&zone(case), anchor(case), limit(case));
        let each = |of: &dyn Fn(usize) -> Value| (0..upcoming.len()).map(of).collect::<Value>();
        json!({
            "expect": each(&|i| basic(upcoming[i].key.get())),
            "local": each(&|i| basic(upcoming[i].local)),
            "instants": each(&|i| upcoming[i].instant.strftime("%Y%m%dT%H%M%SZ").to_string().into()),
            "shifts": each(&|i| upcoming[i].shifts.iter().map(|shift| shift.code()).collect()),
        })
    });
    run(include_str!("../../vectors/zoned.jsonl"), occurrences);
}

#[test]
fn rules_that_no_task_can_have_are_refused_by_name() {
    run(include_str!("../../vectors/refused.jsonl"), |case| {
        let refusal = parsed(case).expect_err(text(case, "id"));
        assert!(refusal.to_string().len() > 20, "{refusal:?} says little");
        json!({ "error": refusal.code() })
    });
}

#[test]
fn each_completion_has_the_successor_as_written() {
    run(include_str!("../../vectors/next.jsonl"), |case| {
        let completed = &case["completed"];
        let ordinal = completed["ordinal"]
            .as_u64()
            .and_then(|ordinal| u32::try_from(ordinal).ok());
        let occurrence = Occurrence {
            key: OccurrenceKey::new(time(text(completed, "key"))),
            ordinal: ordinal.expect("an ordinal"),
        };
        let expect = match recurrence(case).next(occurrence, time(text(completed, "at"))) {
            Next::Occurrence(next) => json!({ "key": basic(next.key.get()), "ordinal": next.ordinal }),
            Next::Ended => Value::Null,
        };
        json!({ "expect": expect })
    });
}

/// Answers each line and compares the answer with what the line says, for all fields of the answer.
fn run(lines: &str, answer: impl Fn(&Value) -> Value) {
    let mut ids = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in lines.lines() {
        let case: Value = serde_json::from_str(line).expect(line);
        assert!(!text(&case, "source").is_empty(), "{line}");
        assert!(ids.insert(text(&case, "id").to_owned()), "{line}: the id is taken");
        for (name, answered) in answer(&case).as_object().expect("an answer has fields") {
            if case[name] != *answered {
                wrong.push(format!(
                    "{}: {name}\n  is     {answered}\n  not    {}",
                    case["id"], case[name]
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} lines:\n{}",
        wrong.len(),
        ids.len(),
        wrong.join("\n")
    );
}

fn occurrences(case: &Value) -> Value {
    let recurrence = recurrence(case);
    let keys = recurrence
        .occurrences_between(anchor(case), DateTime::MAX)
        .take(limit(case));
    json!({ "expect": keys.map(|key| basic(key.get())).collect::<Value>() })
}

fn recurrence(case: &Value) -> Recurrence {
    parsed(case).unwrap_or_else(|refusal| panic!("{case}: {refusal}"))
}

fn parsed(case: &Value) -> Result<Recurrence, RecurrenceError> {
    let exceptions = case["exdates"].as_array().into_iter().flatten();
    Recurrence::new(Terms {
        rule: Rule::parse(text(case, "rrule"), &zone(case))?,
        anchor: anchor(case),
        month_end: match case["month_end"].as_str().unwrap_or("skip") {
            "clamp" => MonthEnd::Clamp,
            "last" => MonthEnd::Last,
            "skip" => MonthEnd::Skip,
            other => panic!("{other} is no choice for month ends"),
        },
        basis: match case["basis"].as_str().unwrap_or("fixed_schedule") {
            "fixed_schedule" => Basis::FixedSchedule,
            "after_completion" => Basis::AfterCompletion,
            other => panic!("{other} is no basis"),
        },
        catch_up: match case["catch_up"].as_str().unwrap_or("one") {
            "one" => CatchUp::One,
            "all" => CatchUp::All,
            "none" => CatchUp::None,
            other => panic!("{other} is no way to catch up"),
        },
        exceptions: exceptions
            .map(|key| OccurrenceKey::new(time(key.as_str().expect("a time"))))
            .collect(),
    })
}

fn zone(case: &Value) -> Zone {
    let name = case["zone"].as_str().unwrap_or("UTC");
    Zone::new(name).expect(name)
}

fn anchor(case: &Value) -> DateTime {
    time(text(case, "dtstart"))
}

fn limit(case: &Value) -> usize {
    let limit = case["limit"].as_u64().expect("a limit");
    usize::try_from(limit).expect("a small limit")
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name]
        .as_str()
        .unwrap_or_else(|| panic!("{case} has no text `{name}`"))
}

fn time(text: &str) -> DateTime {
    DateTime::strptime(BASIC, text).expect(text)
}

fn basic(time: DateTime) -> Value {
    time.strftime(BASIC).to_string().into()
}
