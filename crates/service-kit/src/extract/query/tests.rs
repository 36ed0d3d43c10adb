use serde::Deserialize;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Sample {
    text: Option<String>,
    limit: Option<u16>,
    tag: Vec<String>,
    sort: Sort,
    open: Option<bool>,
    user: Wrapped,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Due,
    Title,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
struct Wrapped(String);

#[derive(Debug, Deserialize)]
struct Needed {
    #[expect(dead_code, reason = "only its absence is of interest")]
    q: String,
}

#[test]
fn parameters_are_read() {
    let sample: Sample = parse("text=caf%C3%A9+%26+tea&limit=20&tag=a&tag=b,c&sort=title&open=true&user=ada").unwrap();
    assert_eq!(
        sample,
        Sample {
            text: Some("café & tea".to_owned()),
            limit: Some(20),
            tag: vec!["a".to_owned(), "b,c".to_owned()],
            sort: Sort::Title,
            open: Some(true),
            user: Wrapped("ada".to_owned()),
        },
    );
    assert_eq!(parse::<Sample>("").unwrap(), Sample::default());
    assert_eq!(parse::<Sample>("&&").unwrap(), Sample::default());
    assert_eq!(parse::<Sample>("text").unwrap().text.as_deref(), Some(""));
}

#[test]
fn each_parameter_that_does_not_fit_is_named() {
    let cases = [
        (
            "limt=3",
            "limt",
            Fault::Unknown,
            "is unknown; known: `text`, `limit`, `tag`, `sort`, `open`, `user`",
        ),
        (
            "a%2Fb=3",
            "a/b",
            Fault::Unknown,
            "is unknown; known: `text`, `limit`, `tag`, `sort`, `open`, `user`",
        ),
        (
            "limit=x",
            "limit",
            Fault::WrongType,
            "must be an integer from 0 to 65535",
        ),
        (
            "limit=",
            "limit",
            Fault::WrongType,
            "must be an integer from 0 to 65535",
        ),
        (
            "limit=65536",
            "limit",
            Fault::OutOfRange,
            "must be an integer from 0 to 65535",
        ),
        ("limit=1&limit=2", "limit", Fault::Duplicate, "is given more than once"),
        ("text=1&text=1", "text", Fault::Duplicate, "is given more than once"),
        ("sort=age", "sort", Fault::NotAllowed, "must be `due` or `title`"),
        ("open=1", "open", Fault::WrongType, "must be true or false"),
        ("text=%ff", "text", Fault::InvalidFormat, "must be UTF-8 without U+0000"),
        ("text=%00", "text", Fault::InvalidFormat, "must be UTF-8 without U+0000"),
    ];
    for (query, name, fault, message) in cases {
        let problem = parse::<Sample>(query).unwrap_err();
        assert_eq!(problem.code(), &codes::INVALID_PARAMETER, "{query}");
        assert_eq!(
            problem.errors(),
            [FieldError::parameter(name, fault, message)],
            "{query}"
        );
    }
}

#[test]
fn a_parameter_that_is_needed_is_named_when_it_is_missing() {
    let problem = parse::<Needed>("").unwrap_err();
    assert_eq!(
        problem.errors(),
        [FieldError::parameter("q", Fault::Missing, "must be given")]
    );
}

#[test]
fn what_people_type_is_text_whatever_it_is() {
    let read = |query: &str| parse_with::<Sample>(query, |value| Some(any_text(value)));
    let text = |query: &str| read(query).unwrap().text.unwrap();
    assert_eq!(text("text=a%00b"), "a\u{fffd}b");
    assert_eq!(text("text=%ff+caf%C3%A9"), "\u{fffd} café");
    let unknown = read("%ff=a").unwrap_err();
    assert_eq!(unknown.code().name, "invalid_parameter");
}
