//! What is looked for in the text of tasks.

use unicode_normalization::UnicodeNormalization as _;

/// How the text of a term is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermKind {
    /// One word, as people separate words. The text search may see several in it: `follow-up`.
    Word,
    /// The beginning of a word, with two letters or digits or more.
    Prefix,
    /// Words in this order, separated by one space.
    Phrase,
}

/// Something to look for: text in lower case and Unicode normal form C, with at least one letter or digit.
///
/// It has no control characters and no double quotes; words and prefixes have no white space, no parentheses and, unless
/// they are addresses of the web, no `&` and `|`. Other punctuation is still there, so it must be bound and quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    kind: TermKind,
    text: String,
}

impl Term {
    /// The most characters of a word or prefix.
    pub const MAX_WORD_CHARS: usize = 200;
    /// The most characters of a phrase.
    pub const MAX_PHRASE_CHARS: usize = 500;
    /// The fewest letters and digits of a prefix: shorter ones match nearly everything, slowly.
    pub const MIN_PREFIX_CHARS: usize = 2;

    /// How the text is meant.
    pub fn kind(&self) -> TermKind {
        self.kind
    }

    /// The text to look for, without quotes or star.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn word(raw: &str) -> Option<Self> {
        Self::folded(TermKind::Word, raw, Self::MAX_WORD_CHARS)
    }

    pub(super) fn prefix(raw: &str) -> Option<Self> {
        let term = Self::folded(TermKind::Prefix, raw, Self::MAX_WORD_CHARS)?;
        let significant = term.text.chars().filter(|c| c.is_alphanumeric()).count();
        (significant >= Self::MIN_PREFIX_CHARS).then_some(term)
    }

    pub(super) fn phrase(raw: &str) -> Option<Self> {
        let words: Vec<&str> = raw
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        Self::folded(TermKind::Phrase, &words.join(" "), Self::MAX_PHRASE_CHARS)
    }

    fn folded(kind: TermKind, raw: &str, max_chars: usize) -> Option<Self> {
        let straight: String = raw.chars().map(|c| if is_apostrophe(c) { '\'' } else { c }).collect();
        let text: String = straight.to_lowercase().nfc().collect();
        let fits = text.chars().count() <= max_chars && text.contains(char::is_alphanumeric);
        fits.then_some(Self { kind, text })
    }
}

/// Apostrophes and single quotes, also the curved ones that phones type.
pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '‘' | '’' | '‚')
}

/// Double quotes, also the curved ones that phones type, and those of French.
pub(super) fn is_double_quote(c: char) -> bool {
    c == '"' || is_curved_double_quote(c)
}

pub(super) fn is_curved_double_quote(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '«' | '»')
}
