//! The structural difference of two schemas of one major version, as a list of what breaks.
//!
//! Records outlive readers and readers outlive writers: a change breaks when the current reader could meet a record of a
//! released writer that it refuses, *or* a released reader one of the current writer. So widening breaks like narrowing.
//! What is left is: new optional fields, and texts for people.
//!
//! It knows the keywords that our types lead to. Any other keyword is reported, so that none is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

/// One breaking change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Breaking {
    /// JSON pointer into the current schema, `$ref` followed.
    pub(crate) pointer: String,
    pub(crate) change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    RemovedField,
    NewRequiredField,
    OptionalBecameRequired,
    RequiredBecameOptional,
    ChangedType,
    ChangedFormat,
    Narrowed(&'static str),
    Widened(&'static str),
    ChangedPattern,
    EnumShrank(String),
    EnumGrew(String),
    Closed,
    Opened,
    UnknownKeyword(String),
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const OLD_EVENTS: &str = "events that are stored already do not fit";
        const OLD_READERS: &str = "readers that are deployed already refuse new events";
        write!(f, "{}: ", self.pointer)?;
        match &self.change {
            Change::RemovedField => write!(f, "removed field; {OLD_READERS}, or miss it"),
            Change::NewRequiredField => write!(f, "new required field; {OLD_EVENTS}"),
            Change::OptionalBecameRequired => write!(f, "optional field became required; {OLD_EVENTS}"),
            Change::RequiredBecameOptional => write!(f, "required field became optional; {OLD_READERS}"),
            Change::ChangedType => write!(f, "changed type"),
            Change::ChangedFormat => write!(f, "changed format"),
            Change::Narrowed(what) => write!(f, "narrowed {what}; {OLD_EVENTS}"),
            Change::Widened(what) => write!(f, "widened {what}; {OLD_READERS}"),
            Change::ChangedPattern => write!(f, "changed pattern"),
            Change::EnumShrank(value) => write!(f, "enum lost {value}; {OLD_EVENTS}"),
            Change::EnumGrew(value) => write!(f, "enum grew by {value}; {OLD_READERS}"),
            Change::Closed => write!(f, "closed to unknown fields; readers refuse the next optional field"),
            Change::Opened => write!(f, "opened to unknown fields; {OLD_READERS}"),
            Change::UnknownKeyword(keyword) => write!(f, "this comparison does not understand `{keyword}`"),
        }
    }
}

/// What breaks between a released schema and the current one of the same major version.
pub(crate) fn breaking_changes(released: &Value, current: &Value) -> Vec<Breaking> {
    let mut comparison = Comparison {
        roots: (released, current),
        done: BTreeSet::new(),
        found: BTreeSet::new(),
    };
    comparison.schemas("", released, current);
    comparison.found.into_iter().collect()
}

/// Keywords that say nothing about which values are valid.
pub(crate) const ANNOTATIONS: [&str; 5] = ["$defs", "$id", "$schema", "description", "title"];

const CONSTRAINTS: [&str; 17] = [
    "$ref",
    "additionalProperties",
    "const",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "required",
    "type",
];

/// Lower and upper bound, and what they bound.
const BOUNDS: [(&str, &str, &str); 3] = [
    ("minimum", "maximum", "number"),
    ("minLength", "maxLength", "text"),
    ("minItems", "maxItems", "list"),
];

struct Comparison<'a> {
    roots: (&'a Value, &'a Value),
    /// Pairs of definitions that were compared, so that a shared one is compared once and a recursive one ends.
    done: BTreeSet<(String, String)>,
    found: BTreeSet<Breaking>,
}

impl<'a> Comparison<'a> {
    fn report(&mut self, pointer: impl Into<String>, change: Change) {
        let pointer = pointer.into();
        self.found.insert(Breaking { pointer, change });
    }

    fn schemas(&mut self, pointer: &str, old: &'a Value, new: &'a Value) {
        let (old_place, old) = resolve(self.roots.0, pointer, old);
        let (pointer, new) = resolve(self.roots.1, pointer, new);
        if !self.done.insert((old_place, pointer.clone())) {
            return;
        }
        let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
            return self.report(
                pointer,
                Change::UnknownKeyword("true or false in place of a schema".into()),
            );
        };
        for keyword in old.keys().chain(new.keys()) {
            if !ANNOTATIONS.contains(&keyword.as_str()) && !CONSTRAINTS.contains(&keyword.as_str()) {
                self.report(&pointer, Change::UnknownKeyword(keyword.clone()));
            }
        }
        self.choices(&pointer, old, new);
        self.bounds(&pointer, old, new);
        self.texts(&pointer, old, new);
        self.items(&pointer, old, new);
        self.fields(&pointer, old, new);
        self.openness(&pointer, old, new);
    }

    /// Types, closed lists of values, and alternatives that a tag tells apart.
    fn choices(&mut self, pointer: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        let (old_choices, new_choices) = (Choices::of(old), Choices::of(new));
        if old_choices.is_none() || new_choices.is_none() {
            return self.report(pointer, Change::UnknownKeyword("oneOf without a tag".into()));
        }
        let (old_choices, new_choices) = (old_choices.unwrap_or_default(), new_choices.unwrap_or_default());
        match (old_choices.0.is_empty(), new_choices.0.is_empty()) {
            (true, false) => self.report(pointer, Change::Narrowed("choice")),
            (false, true) => self.report(pointer, Change::Widened("choice")),
            _ => self.choice_by_choice(pointer, &old_choices, &new_choices),
        }
        // A list of values says their types as well.
        let has_values = |choices: &Choices| choices.0.values().any(|(_, variant)| variant.is_none());
        if old.get("type") != new.get("type") && !(has_values(&old_choices) && has_values(&new_choices)) {
            self.report(pointer, Change::ChangedType);
        }
    }

    fn choice_by_choice(&mut self, pointer: &str, old_choices: &Choices<'a>, new_choices: &Choices<'a>) {
        for lost in old_choices.0.keys().filter(|it| !new_choices.0.contains_key(*it)) {
            self.report(pointer, Change::EnumShrank(lost.clone()));
        }
        for gained in new_choices.0.keys().filter(|it| !old_choices.0.contains_key(*it)) {
            self.report(pointer, Change::EnumGrew(gained.clone()));
        }
        for (tag, (index, variant)) in &new_choices.0 {
            if let (Some(variant), Some((_, Some(before)))) = (variant, old_choices.0.get(tag)) {
                self.schemas(&format!("{pointer}/oneOf/{index}"), before, variant);
            }
        }
    }

    fn bounds(&mut self, pointer: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let bound = |schema: &Map<String, Value>, keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        for (lower, upper, what) in BOUNDS {
            let low = |schema| bound(schema, lower).unwrap_or(f64::NEG_INFINITY);
            let high = |schema| bound(schema, upper).unwrap_or(f64::INFINITY);
            if low(new) > low(old) || high(new) < high(old) {
                self.report(pointer, Change::Narrowed(what));
            }
            if low(new) < low(old) || high(new) > high(old) {
                self.report(pointer, Change::Widened(what));
            }
        }
    }

    fn texts(&mut self, pointer: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        if old.get("format") != new.get("format") {
            self.report(pointer, Change::ChangedFormat);
        }
        match (old.get("pattern"), new.get("pattern")) {
            (None, Some(_)) => self.report(pointer, Change::Narrowed("text")),
            (Some(_), None) => self.report(pointer, Change::Widened("text")),
            (old, new) if old != new => self.report(pointer, Change::ChangedPattern),
            _ => {}
        }
    }

    fn items(&mut self, pointer: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        match (old.get("items"), new.get("items")) {
            (Some(old), Some(new)) => self.schemas(&format!("{pointer}/items"), old, new),
            (None, Some(_)) => self.report(pointer, Change::Narrowed("list")),
            (Some(_), None) => self.report(pointer, Change::Widened("list")),
            (None, None) => {}
        }
    }

    fn fields(&mut self, pointer: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        let (old, new) = (fields(old), fields(new));
        for (name, (before, was_required)) in &old {
            let pointer = format!("{pointer}/properties/{name}");
            let Some((after, is_required)) = new.get(name) else {
                self.report(pointer, Change::RemovedField);
                continue;
            };
            match (was_required, is_required) {
                (true, false) => self.report(&pointer, Change::RequiredBecameOptional),
                (false, true) => self.report(&pointer, Change::OptionalBecameRequired),
                _ => {}
            }
            self.schemas(&pointer, before, after);
        }
        for (name, (_, is_required)) in &new {
            if *is_required && !old.contains_key(name) {
                self.report(format!("{pointer}/properties/{name}"), Change::NewRequiredField);
            }
        }
    }

    fn openness(&mut self, pointer: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let is_open = |schema: &Map<String, Value>| schema.get("additionalProperties").is_none_or(|it| it == true);
        let kinds = [old, new].map(|schema| schema.get("additionalProperties"));
        if kinds.into_iter().flatten().any(Value::is_object) {
            self.report(
                pointer,
                Change::UnknownKeyword("additionalProperties with a schema".into()),
            );
        }
        match (is_open(old), is_open(new)) {
            (true, false) => self.report(pointer, Change::Closed),
            (false, true) => self.report(pointer, Change::Opened),
            _ => {}
        }
    }
}

/// Follows `$ref` to a definition; the pointer follows.
fn resolve<'a>(root: &'a Value, pointer: &str, schema: &'a Value) -> (String, &'a Value) {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(target) => {
            let target = target.trim_start_matches('#');
            let found = root.pointer(target).unwrap_or_else(|| panic!("{target} is defined"));
            (target.to_owned(), found)
        }
        None => (pointer.to_owned(), schema),
    }
}

/// The values of an enum, or the tagged alternatives of a union with their index and schema.
#[derive(Default)]
struct Choices<'a>(BTreeMap<String, (usize, Option<&'a Value>)>);

impl<'a> Choices<'a> {
    /// `None` for alternatives that nothing tells apart.
    fn of(schema: &'a Map<String, Value>) -> Option<Self> {
        let values = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        let values = values.chain(schema.get("const"));
        let mut choices: BTreeMap<_, _> = values.map(|value| (value.to_string(), (0, None))).collect();
        let alternatives = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        for (index, alternative) in alternatives.enumerate() {
            match alternative.get("const") {
                Some(value) => choices.insert(value.to_string(), (index, None)),
                None => choices.insert(tag(alternative)?, (index, Some(alternative))),
            };
        }
        Some(Self(choices))
    }
}

/// The constant fields of an alternative.
fn tag(alternative: &Value) -> Option<String> {
    let fields = alternative.get("properties")?.as_object()?.iter();
    let constants = fields.filter_map(|(name, field)| Some(format!("{name}: {}", field.get("const")?)));
    let tag = constants.collect::<Vec<_>>().join(", ");
    (!tag.is_empty()).then_some(tag)
}

/// Each field with its schema, and whether it is required.
fn fields(schema: &Map<String, Value>) -> BTreeMap<&str, (&Value, bool)> {
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let mut fields: BTreeMap<&str, (&Value, bool)> = properties
        .map(|(name, field)| (name.as_str(), (field, false)))
        .collect();
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        fields.entry(name).or_insert((&Value::Bool(true), false)).1 = true;
    }
    fields
}
