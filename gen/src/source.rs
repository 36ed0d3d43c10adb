//! A text that people wrote, and places in it.

use std::ops::Range;

/// A file as it was read. Places are byte ranges; they become lines only when printed.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as the user would write it, `/` between folders.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A byte range of a [`Source`]'s text.
pub type Span = Range<usize>;

impl Source {
    /// Takes a path and its text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    /// Line and column of a byte offset, both counted from 1; columns count characters.
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..floor_char_boundary(&self.text, offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let source = Source::new("a.yaml", "one\nzwölf: 3\n");
        assert_eq!(source.line_and_column(0), (1, 1));
        let three = source.text.find('3').unwrap();
        assert_eq!(source.line_and_column(three), (2, 8));
        assert_eq!(source.line_and_column(10_000), (3, 1));
    }
}
