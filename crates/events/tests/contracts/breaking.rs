//! Every kind of breaking change is found and named; what breaks nothing is let through.

use serde_json::{Value, json};

use crate::compatibility::{ANNOTATIONS, breaking_changes};

/// The change from `old` to `new`, as the field `field` of an object, breaks exactly like this.
#[track_caller]
fn breaks(old: &Value, new: &Value, expected: &str) {
    let object = |field: &Value| json!({ "type": "object", "properties": { "field": field }, "required": ["field"] });
    let found: Vec<String> = breaking_changes(&object(old), &object(new))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(found, [format!("/properties/field{expected}")]);
}

const OLD_EVENTS: &str = "events that are stored already do not fit";
const OLD_READERS: &str = "readers that are deployed already refuse new events";

#[test]
fn a_removed_field_breaks() {
    let old = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let new = json!({ "type": "object", "properties": {} });
    breaks(
        &old,
        &new,
        &format!("/properties/a: removed field; {OLD_READERS}, or miss it"),
    );
}

#[test]
fn a_renamed_field_is_a_removed_one() {
    let field = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } } });
    let expected = format!("/properties/old: removed field; {OLD_READERS}, or miss it");
    breaks(&field("old"), &field("new"), &expected);
}

#[test]
fn a_new_required_field_breaks() {
    let old = json!({ "type": "object", "properties": {} });
    let new = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    breaks(&old, &new, &format!("/properties/a: new required field; {OLD_EVENTS}"));
}

#[test]
fn a_field_that_changes_between_optional_and_required_breaks() {
    let optional = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let required = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] });
    let expected = format!("/properties/a: optional field became required; {OLD_EVENTS}");
    breaks(&optional, &required, &expected);
    let expected = format!("/properties/a: required field became optional; {OLD_READERS}");
    breaks(&required, &optional, &expected);
}

#[test]
fn a_changed_type_breaks() {
    breaks(
        &json!({ "type": "string" }),
        &json!({ "type": "integer" }),
        ": changed type",
    );
    breaks(
        &json!({ "type": "integer" }),
        &json!({ "type": "number" }),
        ": changed type",
    );
    breaks(
        &json!({ "type": "string" }),
        &json!({ "type": ["string", "null"] }),
        ": changed type",
    );
    breaks(&json!({ "type": "string" }), &json!({}), ": changed type");
}

#[test]
fn a_changed_bound_breaks() {
    for (lower, upper, what, r#type) in [
        ("minimum", "maximum", "number", "integer"),
        ("minLength", "maxLength", "text", "string"),
        ("minItems", "maxItems", "list", "array"),
    ] {
        let schema = |low: i64, high: i64| json!({ "type": r#type, lower: low, upper: high });
        let narrowed = format!(": narrowed {what}; {OLD_EVENTS}");
        let widened = format!(": widened {what}; {OLD_READERS}");
        breaks(&schema(1, 9), &schema(2, 9), &narrowed);
        breaks(&schema(1, 9), &schema(1, 8), &narrowed);
        breaks(&schema(1, 9), &schema(0, 9), &widened);
        breaks(&schema(1, 9), &schema(1, 10), &widened);
        breaks(
            &json!({ "type": r#type }),
            &json!({ "type": r#type, upper: 9 }),
            &narrowed,
        );
        breaks(
            &json!({ "type": r#type, upper: 9 }),
            &json!({ "type": r#type }),
            &widened,
        );
    }
}

#[test]
fn a_changed_pattern_or_format_breaks() {
    let pattern = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let any = json!({ "type": "string" });
    breaks(&pattern("^a$"), &pattern("^b$"), ": changed pattern");
    breaks(&any, &pattern("^a$"), &format!(": narrowed text; {OLD_EVENTS}"));
    breaks(&pattern("^a$"), &any, &format!(": widened text; {OLD_READERS}"));
    let format = |format: &str| json!({ "type": "string", "format": format });
    breaks(&format("date-time"), &format("date"), ": changed format");
    breaks(&format("date-time"), &any, ": changed format");
}

#[test]
fn a_changed_enum_breaks() {
    let listed = |values: &[&str]| json!({ "type": "string", "enum": values });
    let described = |values: &[&str]| {
        let values: Vec<Value> = values
            .iter()
            .map(|it| json!({ "const": it, "type": "string" }))
            .collect();
        json!({ "oneOf": values })
    };
    for schema in [listed, described] {
        let (two, three) = (schema(&["a", "b"]), schema(&["a", "b", "c"]));
        breaks(&two, &three, &format!(": enum grew by \"c\"; {OLD_READERS}"));
        breaks(&three, &two, &format!(": enum lost \"c\"; {OLD_EVENTS}"));
    }
    breaks(
        &listed(&["a"]),
        &json!({ "type": "string" }),
        &format!(": widened choice; {OLD_READERS}"),
    );
    breaks(
        &json!({ "type": "string" }),
        &listed(&["a"]),
        &format!(": narrowed choice; {OLD_EVENTS}"),
    );
    let constant = |value: &str| json!({ "type": "string", "const": value });
    breaks(
        &constant("a"),
        &listed(&["a", "b"]),
        &format!(": enum grew by \"b\"; {OLD_READERS}"),
    );
}

#[test]
fn a_changed_union_breaks() {
    let variant = |kind: &str, field: &str| {
        json!({
            "type": "object",
            "properties": { "kind": { "const": kind, "type": "string" }, "value": { "type": field } },
            "required": ["kind", "value"]
        })
    };
    let union = |variants: &[Value]| json!({ "oneOf": variants });
    let (a, b) = (variant("a", "string"), variant("b", "string"));
    let (one, two) = (union(std::slice::from_ref(&a)), union(&[b, a.clone()]));
    breaks(&one, &two, &format!(": enum grew by kind: \"b\"; {OLD_READERS}"));
    breaks(&two, &one, &format!(": enum lost kind: \"b\"; {OLD_EVENTS}"));
    let changed = union(&[variant("a", "integer")]);
    breaks(&one, &changed, "/oneOf/0/properties/value: changed type");
}

#[test]
fn a_changed_list_item_breaks() {
    let list = |items: &str| json!({ "type": "array", "items": { "type": items } });
    breaks(&list("string"), &list("integer"), "/items: changed type");
    let any = json!({ "type": "array" });
    breaks(&any, &list("string"), &format!(": narrowed list; {OLD_EVENTS}"));
    breaks(&list("string"), &any, &format!(": widened list; {OLD_READERS}"));
}

#[test]
fn an_object_that_is_closed_or_opened_breaks() {
    let open = json!({ "type": "object" });
    let closed = json!({ "type": "object", "additionalProperties": false });
    let expected = ": closed to unknown fields; readers refuse the next optional field";
    breaks(&open, &closed, expected);
    breaks(&closed, &open, &format!(": opened to unknown fields; {OLD_READERS}"));
}

#[test]
fn what_the_comparison_does_not_understand_is_reported() {
    let conditional = json!({ "type": "string", "not": { "const": "a" } });
    let expected = ": this comparison does not understand `not`";
    breaks(&conditional, &conditional, expected);
    let union = json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] });
    breaks(
        &union,
        &union,
        ": this comparison does not understand `oneOf without a tag`",
    );
    let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let expected = ": this comparison does not understand `additionalProperties with a schema`";
    breaks(&map, &map, expected);
}

#[test]
fn a_change_behind_a_reference_is_found_at_the_definition() {
    let schema = |r#type: &str| {
        json!({
            "$defs": { "Inner": { "type": r#type } },
            "type": "object",
            "properties": { "a": { "$ref": "#/$defs/Inner" }, "b": { "$ref": "#/$defs/Inner" } }
        })
    };
    let found = breaking_changes(&schema("string"), &schema("integer"));
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, ["/$defs/Inner: changed type"]);
}

#[test]
fn what_breaks_nobody_is_let_through() {
    let old = json!({
        "$id": "a", "title": "A", "description": "old",
        "type": "object",
        "properties": { "a": { "type": "string", "enum": ["x"] } },
        "required": ["a"]
    });
    let new = json!({
        "$defs": { "Letter": { "oneOf": [{ "const": "x", "type": "string", "description": "X" }] } },
        "$id": "b", "title": "B", "description": "new",
        "type": "object",
        "properties": { "a": { "$ref": "#/$defs/Letter" }, "b": { "type": "integer", "minimum": 1 } },
        "required": ["a"]
    });
    assert_eq!(breaking_changes(&old, &new), []);
}

/// Against a gap that nobody thought of: what is taken out of a real schema, or put into it, breaks. Only a field that
/// readers need not find may be put into it.
#[test]
fn nothing_in_a_real_schema_changes_unnoticed() {
    for contract in events::CONTRACTS {
        let schema = contract.schema();
        let mutants = without_one(&schema);
        assert!(mutants.len() > 30, "{} has more in it than that", contract.name);
        for (pointer, mutant) in mutants {
            assert_ne!(breaking_changes(&schema, &mutant), [], "without {pointer}");
            let may_be_new = is_optional_field(&schema, &pointer);
            assert_eq!(
                breaking_changes(&mutant, &schema).is_empty(),
                may_be_new,
                "with {pointer}"
            );
        }
    }
}

fn is_optional_field(schema: &Value, pointer: &str) -> bool {
    pointer.rsplit_once("/properties/").is_some_and(|(object, name)| {
        let required = schema.pointer(&format!("{object}/required")).and_then(Value::as_array);
        !name.contains('/') && required.is_some_and(|it| it.iter().all(|it| it != name))
    })
}

/// The schema, each time with another constraint, field, alternative or required name taken out, and where that was.
pub(crate) fn without_one(schema: &Value) -> Vec<(String, Value)> {
    let mut pointers = Vec::new();
    constraints("", schema, &mut pointers);
    let mutants = pointers.into_iter().map(|pointer| {
        let mut mutant = schema.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("it is not the root");
        match mutant.pointer_mut(parent).expect("it was found there") {
            Value::Object(object) => drop(object.remove(name)),
            Value::Array(array) => drop(array.remove(name.parse().expect("an index"))),
            _ => unreachable!("only objects and arrays hold something"),
        }
        (pointer, mutant)
    });
    mutants.collect()
}

fn constraints(pointer: &str, schema: &Value, found: &mut Vec<String>) {
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        let place = format!("{pointer}/{keyword}");
        match keyword.as_str() {
            "$defs" | "properties" => {
                for (name, schema) in value.as_object().into_iter().flatten() {
                    let place = format!("{place}/{name}");
                    constraints(&place, schema, found);
                    // A definition is missed where it is referred to.
                    if keyword == "properties" {
                        found.push(place);
                    }
                }
            }
            "oneOf" | "required" => {
                for (index, schema) in value.as_array().into_iter().flatten().enumerate() {
                    let place = format!("{place}/{index}");
                    constraints(&place, schema, found);
                    found.push(place);
                }
            }
            // The constant has a type of its own, and an open object is the default.
            "type" if schema.get("const").is_some() => {}
            "additionalProperties" if value == true => {}
            annotation if ANNOTATIONS.contains(&annotation) => {}
            _ => {
                if value.is_object() {
                    constraints(&place, value, found);
                }
                found.push(place);
            }
        }
    }
}
