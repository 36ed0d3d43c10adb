//! Is everything that was written still there in what the server keeps?

use serde_json::Value;

/// The places where `kept` lacks or changes what `written` says, as `path: written, kept`. What the server adds
/// (defaults, status, bookkeeping) is no difference.
pub(crate) fn lost(written: &Value, kept: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    compare("", written, kept, &mut differences);
    differences
}

fn compare(path: &str, written: &Value, kept: &Value, differences: &mut Vec<String>) {
    match (written, kept) {
        (Value::Object(written), Value::Object(kept)) => {
            for (key, value) in written {
                let path = format!("{path}.{key}");
                match kept.get(key) {
                    Some(kept) => compare(&path, value, kept, differences),
                    None if is_empty(value) => {}
                    None => differences.push(format!("{path}: {value} was dropped")),
                }
            }
        }
        (Value::Array(written), Value::Array(kept)) if written.len() == kept.len() => {
            for (index, (written, kept)) in written.iter().zip(kept).enumerate() {
                compare(&format!("{path}[{index}]"), written, kept, differences);
            }
        }
        _ if written == kept || numbers_equal(written, kept) => {}
        _ => differences.push(format!("{path}: {written} became {kept}")),
    }
}

/// An empty value and none are the same to the server.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// `10` and `10.0`.
fn numbers_equal(written: &Value, kept: &Value) -> bool {
    written.as_f64().is_some() && written.as_f64() == kept.as_f64()
}

#[test]
fn a_dropped_field_and_a_changed_one_are_found_and_an_added_one_is_not() {
    let written = serde_json::json!({"spec": {"a": 1, "b": [{"c": "1000m"}], "d": {}}});
    let kept = serde_json::json!({"spec": {"b": [{"c": "1", "default": true}]}, "status": {}});
    assert_eq!(
        lost(&written, &kept),
        [".spec.a: 1 was dropped", ".spec.b[0].c: \"1000m\" became \"1\""]
    );
}
