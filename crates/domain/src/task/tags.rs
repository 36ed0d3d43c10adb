//! The tags of a task.

use std::fmt;

use super::problem::{Field, FieldProblem, ProblemCode, Problems};
use super::text::{check_length, normal, refuse_controls};

/// A tag: 1 to 50 characters in lower case, words in it separated by one space; no control characters, no `"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// The most characters of a tag.
    pub const MAX_CHARS: usize = 50;

    /// Brings the text into the form in which equal tags are equal, then checks it.
    pub fn new(text: &str) -> Result<Self, FieldProblem> {
        Self::in_field(text, Field::Tags)
    }

    fn in_field(text: &str, field: Field) -> Result<Self, FieldProblem> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = normal(&words.join(" ").to_lowercase(), usize::MAX);
        refuse_controls(&text, field, &[])?;
        // The search query writes tags in double quotes: `tag:"deep work"`.
        if text.contains('"') {
            let message = "must not contain a double quote";
            return Err(FieldProblem::new(field, ProblemCode::ForbiddenCharacter, message));
        }
        check_length(&text, field, Self::MAX_CHARS)?;
        Ok(Self(text))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The tags of a task: at most 50, each once, in order of their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// The most tags of one task.
    pub const MAX: usize = 50;

    /// Checks every tag, sorts them, and keeps one of those that are equal.
    pub fn new(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut tags = Vec::new();
        for (place, text) in texts.into_iter().enumerate() {
            tags.extend(problems.check(Tag::in_field(text.as_ref(), Field::Tag(place))));
        }
        tags.sort();
        tags.dedup();
        if tags.len() > Self::MAX {
            let message = format!("must have at most {} entries", Self::MAX);
            problems.push(FieldProblem::new(Field::Tags, ProblemCode::TooMany, message));
        }
        problems.into_result().map(|()| Self(tags))
    }

    /// The tags, sorted.
    pub fn as_slice(&self) -> &[Tag] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(tags: &Tags) -> Vec<&str> {
        tags.as_slice().iter().map(Tag::as_str).collect()
    }

    #[test]
    fn equal_tags_are_one() {
        let tags = Tags::new(["Work", "  deep \t Work", "work", "deep work", "CAFÉ", "cafe\u{301}"]).unwrap();
        assert_eq!(texts(&tags), ["café", "deep work", "work"]);
    }

    #[test]
    fn every_wrong_tag_is_named() {
        let long = "x".repeat(51);
        let problems = Tags::new(["ok", "", "a\0", "say \"hi\"", &long]).unwrap_err();
        let found: Vec<(String, ProblemCode)> = problems
            .iter()
            .map(|problem| (problem.field.to_string(), problem.code))
            .collect();
        let expected = [
            ("/tags/1", ProblemCode::Empty),
            ("/tags/2", ProblemCode::ForbiddenCharacter),
            ("/tags/3", ProblemCode::ForbiddenCharacter),
            ("/tags/4", ProblemCode::TooLong),
        ];
        assert_eq!(found, expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn a_task_has_at_most_fifty_different_tags() {
        let many = |count: usize| (0..count).map(|number| format!("t{}", number % 51));
        assert_eq!(Tags::new(many(50)).unwrap().as_slice().len(), 50);
        let problems = Tags::new(many(1000)).unwrap_err();
        assert_eq!(problems.iter().next().unwrap().code, ProblemCode::TooMany);
        assert!(Tags::new(["same"; 1000]).is_ok());
    }

    proptest! {
        #[test]
        fn a_tag_is_its_own_normal_form(text in any::<String>()) {
            if let Ok(tag) = Tag::new(&text) {
                prop_assert_eq!(Tag::new(tag.as_str()), Ok(tag));
            }
        }
    }
}
