//! Values → YAML that every reader understands alike.
//!
//! The library's writer leaves words unquoted that YAML 1.1 readers (kubectl's among them) take for booleans,
//! dates or numbers in base sixty: `on`, `y`, `1:30`. This one quotes whatever any reader could mistake.

use serde_yaml::Value;
use std::fmt::Write as _;

/// Block style, two spaces, LF, one final newline; keys in the order given.
pub fn write(value: &Value) -> String {
    let mut out = String::new();
    block(value, 0, &mut out);
    out
}

fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            for (key, inner) in mapping {
                pad(indent, out);
                entry(key, inner, indent, out);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for item in items {
                pad(indent, out);
                sequence_item(item, indent, out);
            }
        }
        scalar => {
            // A literal block is indented even where nothing stands around it.
            inline(scalar, indent + 2, out);
            out.push('\n');
        }
    }
}

fn entry(key: &Value, value: &Value, indent: usize, out: &mut String) {
    inline(key, indent, out);
    out.push(':');
    match value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        Value::Sequence(items) if !items.is_empty() => {
            out.push('\n');
            // Sequences stand at their key's own indent, as Kubernetes' tools write them.
            block(value, indent, out);
        }
        scalar => {
            out.push(' ');
            inline(scalar, indent + 2, out);
            out.push('\n');
        }
    }
}

fn sequence_item(item: &Value, indent: usize, out: &mut String) {
    out.push_str("- ");
    match item {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            for (position, (key, inner)) in mapping.iter().enumerate() {
                if position > 0 {
                    pad(indent + 2, out);
                }
                entry(key, inner, indent + 2, out);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for (position, inner) in items.iter().enumerate() {
                if position > 0 {
                    pad(indent + 2, out);
                }
                sequence_item(inner, indent + 2, out);
            }
        }
        scalar => {
            inline(scalar, indent + 2, out);
            out.push('\n');
        }
    }
}

fn pad(indent: usize, out: &mut String) {
    const SPACES: &str = "                                ";
    let mut left = indent;
    while left > 0 {
        let step = left.min(SPACES.len());
        out.push_str(&SPACES[..step]);
        left -= step;
    }
}

fn inline(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Number(n) => {
            let _ = write!(out, "{n}"); // a String takes everything
        }
        Value::String(text) => string(text, indent, out),
        Value::Sequence(_) => out.push_str("[]"),
        Value::Mapping(_) => out.push_str("{}"),
        Value::Tagged(tagged) => inline(&tagged.value, indent, out),
    }
}

fn string(text: &str, indent: usize, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
    } else if text.contains('\n') && can_be_literal(text) {
        literal(text, indent, out);
    } else if text.chars().all(|c| c == ' ' || !(c.is_control() || c.is_whitespace())) {
        out.push('\'');
        for (position, part) in text.split('\'').enumerate() {
            out.push_str(if position > 0 { "''" } else { "" });
            out.push_str(part);
        }
        out.push('\'');
    } else {
        double_quoted(text, out);
    }
}

/// A literal block keeps its text only if no line ends in a space, none is odd, and the first is not indented.
fn can_be_literal(text: &str) -> bool {
    let odd = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'));
    !text.contains(odd)
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.lines().all(|line| !line.ends_with(' '))
}

fn literal(text: &str, indent: usize, out: &mut String) {
    out.push_str(if text.ends_with('\n') { "|" } else { "|-" });
    for line in text.trim_end_matches('\n').split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(indent, out);
            out.push_str(line);
        }
    }
}

fn double_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || (c != ' ' && c.is_whitespace()) || c == '\u{feff}' => {
                let code = u32::from(c);
                let escaped = if code <= 0xff {
                    format!("\\x{code:02x}")
                } else {
                    format!("\\u{code:04x}")
                };
                out.push_str(&escaped);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether no YAML 1.1 or 1.2 reader could take the text for anything but itself.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let looks_like_word = first.is_ascii_alphabetic()
        || matches!(first, '/' | '_' | '.' | '$' | '(' | '<' | '^')
        || (first.is_ascii_digit() && text.contains(|c: char| c.is_ascii_alphabetic()));
    let mut before = b' ';
    let mut is_safe_after_the_one_before = |byte: u8| {
        let is_safe = match byte {
            b' ' => before != b':',
            b'#' => before != b' ',
            b'\\' => false,
            _ => byte.is_ascii_graphic(),
        };
        before = byte;
        is_safe
    };
    looks_like_word
        && text.bytes().all(&mut is_safe_after_the_one_before)
        && !text.ends_with([':', ' '])
        && !could_be_another_type(text)
}

fn could_be_another_type(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", ".nan", ".inf",
    ];
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let bytes = text.as_bytes();
    let numeric = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b':' | b'-' | b'+' | b'e' | b'E');
    let based = bytes[0] == b'0' && matches!(bytes.get(1), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B'));
    // `2026-01-01T…` is a timestamp to YAML 1.1.
    let dated = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    based || dated || bytes.iter().all(numeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        write(&Value::Mapping(
            [("k".into(), Value::String(text.to_owned()))].into_iter().collect(),
        ))
    }

    #[test]
    fn what_a_reader_could_mistake_is_quoted() {
        for text in [
            "on",
            "Off",
            "y",
            "N",
            "yes",
            "no",
            "true",
            "null",
            "~",
            "",
            "0777",
            "1e3",
            "1:30",
            "0o7",
            "0x1f",
            "1_000",
            "2026-01-01",
            "2026-01-01T00:00:00Z",
            ".5",
            ".inf",
            "NaN",
            "12",
            "-1",
            "+1",
            "1.34",
            "- a",
            "a: b",
            "a #b",
            "#x",
            "@x",
            "*x",
            "&x",
            "!x",
            "%x",
            "{{ x }}",
            "[x",
            "`x",
            "x:",
            " x",
            "x ",
            "=",
            "<<",
            "|",
            ">",
            "?",
        ] {
            let quoted = written(text);
            assert!(
                quoted == format!("k: '{text}'\n") || text == "<<",
                "{text:?} became {quoted}"
            );
        }
        for text in [
            "chat-api",
            "12h",
            "5m",
            "10Gi",
            "ghcr.io/a/b:1",
            "sum(x) > 1",
            "/ready",
            "v1.18.3",
            "a.b.svc:9093",
        ] {
            assert_eq!(written(text), format!("k: {text}\n"));
        }
    }

    #[test]
    fn structure_is_block_style() {
        let value: Value = serde_yaml::from_str("a: {b: [1, {c: d, e: []}], f: {}}\ng: \"x\\ny\\n\"\n").unwrap();
        assert_eq!(
            write(&value),
            "a:\n  b:\n  - 1\n  - c: d\n    e: []\n  f: {}\ng: |\n  x\n  y\n"
        );
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|n| Value::Number(n.into())),
            "\\PC{0,12}".prop_map(Value::String),
            "[ -~\\n]{0,40}".prop_map(Value::String),
            prop::sample::select(vec!["on", "1:30", "|", "a: b", "x\n  y\n", "\n", " \nx", "x\n\n", "\t"])
                .prop_map(|s| Value::String(s.to_owned())),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Sequence),
                prop::collection::vec(("[a-z./]{1,8}", inner), 0..5).prop_map(|entries| {
                    Value::Mapping(entries.into_iter().map(|(k, v)| (Value::String(k), v)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(value in any_value()) {
            let text = write(&value);
            let read: Value = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            prop_assert_eq!(read, value, "{}", text);
        }
    }
}
