//! The spec's JSON Schema: derived from the types, with the catalogue's names filled in.

use super::Spec;
use catalogue::Catalogue;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The JSON Schema (2020-12) of an environment spec.
pub fn environment(catalogue: &Catalogue) -> Value {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Spec>();
    let mut schema = schema.to_value();
    refuse_null(&mut schema);
    schema["title"] = json!("TaskFlow environment");
    let services = catalogue.services.iter().map(|s| s.app_id.to_owned());
    close_over(&mut schema, "services", services);
    let topics = catalogue
        .topics
        .iter()
        .filter(|t| !t.is_dead_letter_twin())
        .map(|t| t.name.to_owned());
    close_over(&mut schema, "topics", topics);
    schema
}

/// A map with any key becomes an object with the catalogue's keys.
fn close_over(schema: &mut Value, property: &str, names: impl Iterator<Item = String>) {
    let map = &mut schema["properties"][property];
    let each = map["additionalProperties"].take();
    map["properties"] = names.map(|name| (name, each.clone())).collect::<Map<_, _>>().into();
    map["additionalProperties"] = json!(false);
}

/// An optional key may be left out, but not written as `null`.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|t| t != "null");
                if let [only] = types.as_slice() {
                    object["type"] = only.clone();
                }
            }
            if let Some(Value::Array(either)) = object.get("anyOf")
                && let [inner, null] = either.as_slice()
                && null["type"] == "null"
            {
                let inner = inner.clone();
                object.remove("anyOf");
                if let Value::Object(inner) = inner {
                    for (key, value) in inner {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            object.values_mut().for_each(refuse_null);
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        _ => {}
    }
}
