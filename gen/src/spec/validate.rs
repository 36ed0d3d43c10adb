//! A tree against the spec's own JSON Schema: one description serves the editor and the compiler.
//!
//! Every problem is collected, each at its line. What this pass accepts, decoding accepts too.

use super::codes;
use super::document::{Entry, Node, Value};
use super::units;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use serde_json::Value as Schema;

/// All that `schema` has to say against `node`.
pub fn validate(schema: &Schema, node: &Node, path: &str) -> Vec<Diagnostic> {
    let mut pass = Pass {
        root: schema,
        path,
        problems: Vec::new(),
    };
    pass.value(schema, node, "the spec", &node.span);
    pass.problems
}

struct Pass<'a> {
    root: &'a Schema,
    path: &'a str,
    problems: Vec<Diagnostic>,
}

impl<'a> Pass<'a> {
    fn value(&mut self, schema: &'a Schema, node: &Node, name: &str, key_span: &Span) {
        let schema = self.resolved(schema);
        if let Some(variants) = schema.get("oneOf").and_then(Schema::as_array) {
            return self.choice(variants, node, name, key_span);
        }
        let types = types_of(schema);
        if matches!(node.value, Value::Null) && !types.is_empty() {
            self.report(codes::NULL, key_span, format!("`{name}` has no value")).fix =
                Some("write a value, or leave the key out".to_owned());
            return;
        }
        match &node.value {
            Value::Map(entries) if types.contains(&"object") => self.object(schema, entries, name, key_span),
            Value::List(items) if types.contains(&"array") => self.list(schema, items, name, node),
            Value::String(text) if types.contains(&"string") => self.text(schema, text, name, &node.span),
            Value::Integer(number) if types.contains(&"integer") || types.contains(&"number") => {
                self.number(schema, *number, name, &node.span);
            }
            Value::Float(_) if types.contains(&"number") => {}
            Value::Bool(_) if types.contains(&"boolean") => {}
            _ if types.is_empty() => {}
            _ => self.wrong_type(schema, &types, node, name, key_span),
        }
    }

    fn object(&mut self, schema: &'a Schema, entries: &[Entry], name: &str, key_span: &Span) {
        let known = schema.get("properties").and_then(Schema::as_object);
        let others = schema.get("additionalProperties").filter(|s| s.is_object());
        let mut misspelt = Vec::new();
        for entry in entries {
            if let Some(inner) = known.and_then(|known| known.get(&entry.key)).or(others) {
                self.value(inner, &entry.node, &entry.key, &entry.key_span);
                continue;
            }
            let names: Vec<&str> = known
                .into_iter()
                .flat_map(|known| known.keys().map(String::as_str))
                .collect();
            misspelt.extend(nearest(&entry.key, &names));
            self.unknown(codes::UNKNOWN_KEY, &entry.key, "key", name, &names, &entry.key_span);
        }
        let required = schema.get("required").and_then(Schema::as_array).into_iter().flatten();
        for required in required.filter_map(Schema::as_str) {
            // A key that is there under a misspelt name is one mistake, not two.
            if !misspelt.contains(&required) && !entries.iter().any(|e| e.key == required) {
                let inner = known.and_then(|known| known.get(required)).unwrap_or(&Schema::Null);
                let example = self.example(inner);
                self.report(
                    codes::MISSING_KEY,
                    key_span,
                    format!("{} lacks `{required}`", quoted(name)),
                )
                .fix = Some(format!("add `{required}: {}`{}", example.0, example.1));
            }
        }
    }

    /// What could stand behind a missing key: the only choice there is, or dots; and what it means.
    fn example(&self, written: &'a Schema) -> (String, String) {
        let schema = self.resolved(written);
        let variants = schema.get("oneOf").and_then(Schema::as_array);
        let words: Vec<&str> = variants.into_iter().flatten().filter_map(words_of).flatten().collect();
        let value = match words.as_slice() {
            [only] => (*only).to_owned(),
            _ => "…".to_owned(),
        };
        (value, means_suffix(&description(schema, written)))
    }

    fn list(&mut self, schema: &'a Schema, items: &[Node], name: &str, node: &Node) {
        if let Some(least) = schema.get("minItems").and_then(Schema::as_u64)
            && (items.len() as u64) < least
        {
            self.report(
                codes::OUT_OF_RANGE,
                &node.span,
                format!("`{name}` needs at least {least} item(s)"),
            );
        }
        let Some(inner) = schema.get("items") else {
            return;
        };
        for item in items {
            self.value(inner, item, name, &item.span);
        }
    }

    fn text(&mut self, schema: &'a Schema, text: &str, name: &str, span: &Span) {
        if let Some(words) = words_of(schema) {
            if !words.contains(&text) {
                self.unknown(codes::UNKNOWN_CHOICE, text, "choice", name, &words, span);
            }
            return;
        }
        if let Some(format) = schema.get("format").and_then(Schema::as_str)
            && let Err(spelling) = units::check_format(format, text)
        {
            self.report(codes::MALFORMED, span, format!("`{name}` is badly written"))
                .fix = Some(spelling);
            return;
        }
        let length = text.chars().count() as u64;
        let least = schema.get("minLength").and_then(Schema::as_u64).unwrap_or(0);
        let most = schema.get("maxLength").and_then(Schema::as_u64).unwrap_or(u64::MAX);
        if !(least..=most).contains(&length) {
            self.report(
                codes::OUT_OF_RANGE,
                span,
                format!("`{name}` has {length} characters; it has {least} to {most}"),
            );
        }
    }

    fn number(&mut self, schema: &'a Schema, number: i64, name: &str, span: &Span) {
        let bound = |key| {
            schema.get(key).and_then(Schema::as_f64).map(|b| {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "bounds in our schemas are small whole numbers"
                )]
                let bound = b as i64;
                bound
            })
        };
        let least = bound("minimum").unwrap_or(i64::MIN);
        let most = bound("maximum").unwrap_or(i64::MAX);
        if number < least || number > most {
            let range = match (least, most) {
                (least, i64::MAX) => format!("at least {least}"),
                (i64::MIN, most) => format!("at most {most}"),
                (least, most) => format!("{least} to {most}"),
            };
            self.report(
                codes::OUT_OF_RANGE,
                span,
                format!("`{name}` is {number}; it is {range}"),
            );
        }
    }

    /// `oneOf` as serde's externally tagged enums give it: a word, or one key.
    fn choice(&mut self, variants: &'a [Schema], node: &Node, name: &str, key_span: &Span) {
        let words: Vec<&str> = variants.iter().filter_map(words_of).flatten().collect();
        let keyed: Vec<(&str, &Schema)> = variants.iter().filter_map(single_key).collect();
        let all: Vec<&str> = words.iter().copied().chain(keyed.iter().map(|(key, _)| *key)).collect();
        match &node.value {
            Value::String(word) if words.contains(&word.as_str()) => {}
            Value::String(word) if keyed.iter().any(|(key, _)| key == word) => {
                self.report(
                    codes::WRONG_TYPE,
                    &node.span,
                    format!("`{word}` has settings of its own"),
                )
                .fix = Some(format!("write `{name}: {{ {word}: {{ … }} }}`"));
            }
            Value::String(word) => self.unknown(codes::UNKNOWN_CHOICE, word, "choice", name, &all, &node.span),
            Value::Map(entries) if entries.len() == 1 => {
                let entry = &entries[0];
                match keyed.iter().find(|(key, _)| *key == entry.key) {
                    Some((_, inner)) => self.value(inner, &entry.node, &entry.key, &entry.key_span),
                    None => self.unknown(codes::UNKNOWN_CHOICE, &entry.key, "choice", name, &all, &entry.key_span),
                }
            }
            Value::Map(entries) => {
                let choices = join(all.iter().copied());
                let message = match entries.as_slice() {
                    [] => format!("`{name}` chooses nothing"),
                    _ => format!("`{name}` chooses {}", join(entries.iter().map(|e| e.key.as_str()))),
                };
                let place = entries.get(1).map_or(key_span, |e| &e.key_span).clone();
                self.report(codes::ONE_CHOICE, &place, message).fix = Some(format!("choose exactly one of {choices}"));
            }
            _ => {
                let choices = join(all.iter().copied());
                self.report(codes::ONE_CHOICE, key_span, format!("`{name}` chooses nothing"))
                    .fix = Some(format!("choose exactly one of {choices}"));
            }
        }
    }

    fn unknown(&mut self, code: Code, word: &str, what: &str, inside: &str, names: &[&str], span: &Span) {
        let fix = match nearest(word, names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if names.is_empty() => "remove it".to_owned(),
            None => format!("known here: {}", join(names.iter().copied())),
        };
        let problem = self.report(code, span, format!("unknown {what} `{word}` in {}", quoted(inside)));
        problem.fix = Some(fix);
    }

    fn wrong_type(&mut self, schema: &Schema, types: &[&str], node: &Node, name: &str, key_span: &Span) {
        let found = match &node.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::String(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a group of keys",
        };
        let wanted = types.iter().map(|t| type_name(t)).collect::<Vec<_>>().join(" or ");
        let span = match node.value {
            Value::Map(_) | Value::List(_) => key_span,
            _ => &node.span,
        };
        let fix = match &node.value {
            Value::String(text) if types.contains(&"integer") && text.parse::<i64>().is_ok() => {
                Some(format!("write {text} without quotes"))
            }
            Value::Integer(_) | Value::Float(_) if types.contains(&"string") => {
                let format = schema.get("format").and_then(Schema::as_str).unwrap_or_default();
                let written = match node.value {
                    Value::Integer(i) => i.to_string(),
                    Value::Float(f) => f.to_string(),
                    _ => String::new(),
                };
                Some(match units::check_format(format, &written) {
                    Err(spelling) => spelling,
                    Ok(()) => format!("write \"{written}\" in quotes"),
                })
            }
            _ => schema.get("description").and_then(Schema::as_str).map(str::to_owned),
        };
        self.report(codes::WRONG_TYPE, span, format!("`{name}` is {found}; it is {wanted}"))
            .fix = fix;
    }

    fn report(&mut self, code: Code, span: &Span, message: String) -> &mut Diagnostic {
        self.problems
            .push(Diagnostic::error(code, self.path, span.clone(), message));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn resolved(&self, schema: &'a Schema) -> &'a Schema {
        let mut schema = schema;
        while let Some(reference) = schema.get("$ref").and_then(Schema::as_str) {
            match self.root.pointer(reference.trim_start_matches('#')) {
                Some(target) => schema = target,
                None => return schema,
            }
        }
        schema
    }
}

fn types_of(schema: &Schema) -> Vec<&str> {
    match schema.get("type") {
        Some(Schema::String(one)) => vec![one],
        Some(Schema::Array(several)) => several.iter().filter_map(Schema::as_str).collect(),
        _ => Vec::new(),
    }
}

fn words_of(schema: &Schema) -> Option<Vec<&str>> {
    if let Some(word) = schema.get("const").and_then(Schema::as_str) {
        return Some(vec![word]);
    }
    let words = schema.get("enum").and_then(Schema::as_array)?;
    Some(words.iter().filter_map(Schema::as_str).collect())
}

fn single_key(schema: &Schema) -> Option<(&str, &Schema)> {
    let properties = schema.get("properties").and_then(Schema::as_object)?;
    properties.iter().next().map(|(key, inner)| (key.as_str(), inner))
}

/// The known name that was probably meant.
pub fn nearest<'a>(word: &str, names: &[&'a str]) -> Option<&'a str> {
    let folded = |s: &str| s.replace(['-', '_'], "").to_lowercase();
    let wanted = folded(word);
    names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &folded(name)), *name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn type_name(json_type: &str) -> &str {
    match json_type {
        "object" => "a group of keys",
        "array" => "a list",
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        other => other,
    }
}

fn quoted(name: &str) -> String {
    if name == "the spec" {
        name.to_owned()
    } else {
        format!("`{name}`")
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(14);
    names.truncate(14);
    let mut out = names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if more > 0 {
        out = format!("{out} and {more} more");
    }
    out
}

fn description(resolved: &Schema, written: &Schema) -> String {
    let first_sentence = |s: &Schema| {
        let text = s.get("description").and_then(Schema::as_str)?;
        Some(
            text.split(". ")
                .next()
                .unwrap_or(text)
                .trim_end_matches('.')
                .replace('\n', " "),
        )
    };
    first_sentence(written)
        .or_else(|| first_sentence(resolved))
        .unwrap_or_default()
}

fn means_suffix(means: &str) -> String {
    if means.is_empty() {
        String::new()
    } else {
        format!(" ({means})")
    }
}
