use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::*;

/// JSON values without U+0000 and not too deep, in the numbers that `Value` writes and reads alike.
fn values() -> impl Strategy<Value = Value> {
    let text = "[^\\x00]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0 + 0.125)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn every_document_is_read_as_it_stands(value in values()) {
        let document = Document::parse(value.to_string().as_bytes()).unwrap();
        prop_assert_eq!(Value::deserialize(document).unwrap(), value);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let strict = serde_json::from_slice::<Value>(&bytes).is_ok();
        let read = Document::parse(&bytes);
        prop_assert!(strict || read.is_err());
    }
}

#[test]
fn an_integer_may_be_written_with_a_fraction_of_nothing() {
    for (text, expected) in [
        ("2.0", Document::Integer(2)),
        ("-2e3", Document::Integer(-2000)),
        ("899999999999999.0", Document::Integer(899_999_999_999_999)),
        ("9007199254740994.0", Document::Number(9_007_199_254_740_994.0)),
        ("2.5", Document::Number(2.5)),
        ("1e300", Document::Number(1e300)),
    ] {
        assert_eq!(Document::parse(text.as_bytes()).unwrap(), expected, "{text}");
    }
}
