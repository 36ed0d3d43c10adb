//! Validation by an independent judge, the crate `jsonschema`.

use jsonschema::Validator;
use serde_json::{Value, json};

/// The judge of a schema, which also looks at formats.
pub(crate) fn validator(schema: &Value) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("a schema of ours is one")
}

/// The schema as writers keep it: no field that it does not name.
pub(crate) fn closed(mut schema: Value) -> Value {
    close(&mut schema);
    schema
}

fn close(value: &mut Value) {
    if value.get("properties").is_some_and(Value::is_object) && value.get("type") == Some(&json!("object")) {
        value["additionalProperties"] = json!(false);
    }
    match value {
        Value::Object(object) => object.values_mut().for_each(close),
        Value::Array(array) => array.iter_mut().for_each(close),
        _ => {}
    }
}

/// What the judge says against a value; empty when it fits.
pub(crate) fn objections(validator: &Validator, value: &Value) -> Vec<String> {
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}
