use std::collections::BTreeSet;

use catalogue::Catalogue;

pub(crate) fn names_are_unique(catalogue: &Catalogue) -> Vec<String> {
    let lists: [(&str, Vec<&str>); 8] = [
        ("service", catalogue.services.iter().map(|it| it.app_id).collect()),
        ("topic", catalogue.topics.iter().map(|it| it.name).collect()),
        ("event type", catalogue.event_types.iter().map(|it| it.name).collect()),
        ("job", catalogue.jobs.iter().map(|it| it.prefix).collect()),
        ("schema", catalogue.schemas.iter().map(|it| it.name).collect()),
        ("metric", catalogue.metrics.iter().map(|it| it.name).collect()),
        ("span", catalogue.spans.iter().map(|it| it.name).collect()),
        (
            "environment variable",
            catalogue.environment_variables.iter().map(|it| it.name).collect(),
        ),
    ];
    let mut problems = Vec::new();
    for (what, names) in lists {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                problems.push(format!("{what} {name} is there twice"));
            }
        }
    }
    problems
}

pub(crate) fn names_follow_their_convention(catalogue: &Catalogue) -> Vec<String> {
    let mut problems = Vec::new();
    for service in &catalogue.services {
        if !is_cased(service.app_id, '-', u8::is_ascii_lowercase) {
            problems.push(format!("service {}: not kebab case", service.app_id));
        }
    }
    for topic in &catalogue.topics {
        if !is_cased(topic.name, '-', u8::is_ascii_lowercase) {
            problems.push(format!("topic {}: not kebab case", topic.name));
        }
    }
    for schema in &catalogue.schemas {
        for (what, name) in [("schema", schema.name), ("role", schema.role)] {
            if !is_snake(name) {
                problems.push(format!("{what} {name}: not snake case"));
            }
        }
    }
    for span in &catalogue.spans {
        if !is_snake(span.name) {
            problems.push(format!("span {}: not snake case", span.name));
        }
    }
    for variable in &catalogue.environment_variables {
        if !is_cased(variable.name, '_', u8::is_ascii_uppercase) {
            problems.push(format!("environment variable {}: not upper snake case", variable.name));
        }
    }
    problems
}

pub(crate) fn is_snake(name: &str) -> bool {
    is_cased(name, '_', u8::is_ascii_lowercase)
}

/// Words of letters and digits, the first character a letter, joined by single separators.
fn is_cased(name: &str, separator: char, is_letter: fn(&u8) -> bool) -> bool {
    name.as_bytes().first().is_some_and(is_letter)
        && name.split(separator).all(|word| {
            let good = |byte: &u8| is_letter(byte) || byte.is_ascii_digit();
            !word.is_empty() && word.as_bytes().iter().all(good)
        })
}
