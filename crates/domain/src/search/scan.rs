//! From text to tokens, in one pass.

use super::Expression;
use super::filter::Filter;
use super::term::{Term, is_apostrophe, is_curved_double_quote, is_double_quote};

/// A piece of a query. Operators keep their spelling, in case they turn out to be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Open(&'a str),
    Close(&'a str),
    And(&'a str),
    Or(&'a str),
    Not(&'a str),
    /// A term or filter with its spelling; `None` where something stood that cannot be searched for.
    Leaf(&'a str, Option<Expression>),
}

/// What had no effect: each once, at most 20, long ones cut.
#[derive(Debug, Default)]
pub(super) struct Ignored(Vec<String>);

impl Ignored {
    const MAX: usize = 20;
    const MAX_CHARS: usize = 60;

    pub(super) fn note(&mut self, raw: &str) {
        let mut text: String = raw.chars().take(Self::MAX_CHARS).collect();
        if text.len() < raw.len() {
            text.push('…');
        }
        if self.0.len() < Self::MAX && !self.0.contains(&text) {
            self.0.push(text);
        }
    }

    pub(super) fn into_list(self) -> Vec<String> {
        self.0
    }
}

/// Whether a word cannot go on with this character.
pub(super) fn ends_word(c: char) -> bool {
    c.is_whitespace() || c.is_control() || is_double_quote(c) || matches!(c, '(' | ')' | '&' | '|')
}

/// Reads the whole text; notes what it leaves out.
pub(super) fn tokens<'a>(text: &'a str, ignored: &mut Ignored) -> Vec<Token<'a>> {
    let mut scanner = Scanner {
        text,
        place: 0,
        unquoted_until: 0,
    };
    let mut tokens = Vec::new();
    while let Some(c) = scanner.rest().chars().next() {
        let token = match c {
            _ if c.is_whitespace() || c.is_control() => {
                scanner.take(c.len_utf8());
                continue;
            }
            '(' => Some(Token::Open(scanner.take(1))),
            ')' => Some(Token::Close(scanner.take(1))),
            '&' => Some(Token::And(scanner.run('&'))),
            '|' => Some(Token::Or(scanner.run('|'))),
            '!' => Some(Token::Not(scanner.take(1))),
            '-' if scanner.dash_negates() => Some(Token::Not(scanner.take(1))),
            _ => scanner.leaf(c, ignored),
        };
        tokens.extend(token);
    }
    tokens
}

struct Scanner<'a> {
    text: &'a str,
    /// The byte at which the rest begins.
    place: usize,
    /// No single-quoted phrase that begins before this byte has an end: it is not searched for again.
    unquoted_until: usize,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.place..]
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let raw = &self.rest()[..bytes];
        self.place += bytes;
        raw
    }

    /// Several of the same operator are one: `&&`.
    fn run(&mut self, operator: char) -> &'a str {
        let rest = self.rest();
        self.take(rest.len() - rest.trim_start_matches(operator).len())
    }

    /// A dash negates what follows at once; ` - ` and `--option` are writing.
    fn dash_negates(&self) -> bool {
        let next = self.rest()[1..].chars().next();
        next.is_some_and(|c| c == '(' || is_double_quote(c) || !(c == '-' || ends_word(c)))
    }

    /// A phrase, filter or word, keyword operators included; nothing for a quote that opens none.
    fn leaf(&mut self, first: char, ignored: &mut Ignored) -> Option<Token<'a>> {
        if is_double_quote(first) {
            let length = self.rest()[first.len_utf8()..].find(is_double_quote);
            let Some(length) = length else {
                ignored.note(self.take(first.len_utf8()));
                return None;
            };
            return Some(self.phrase(first, length, ignored));
        }
        if is_apostrophe(first)
            && let Some(length) = self.length_of_single_quoted(first)
        {
            return Some(self.phrase(first, length, ignored));
        }
        Some(self.word_or_filter(ignored))
    }

    /// The phrase of `length` bytes between the quote `first` and the one after it.
    fn phrase(&mut self, first: char, length: usize, ignored: &mut Ignored) -> Token<'a> {
        let end = first.len_utf8() + length;
        let last = self.rest()[end..].chars().next().map_or(0, char::len_utf8);
        let raw = self.take(end + last);
        let term = Term::phrase(&raw[first.len_utf8()..end]);
        if term.is_none() {
            ignored.note(raw);
        }
        Token::Leaf(raw, term.map(Expression::Term))
    }

    /// The bytes up to a single quote at the end of a word; `None` when `first` is an apostrophe before a word: 'tis.
    fn length_of_single_quoted(&mut self, first: char) -> Option<usize> {
        let begin = self.place + first.len_utf8();
        if self.place < self.unquoted_until || self.text[begin..].starts_with(char::is_whitespace) {
            return None;
        }
        let mut letters = self.text[begin..].char_indices().peekable();
        while let Some((length, c)) = letters.next() {
            if is_double_quote(c) {
                self.unquoted_until = begin + length;
                return None;
            }
            if is_apostrophe(c) && letters.peek().is_none_or(|(_, next)| ends_word(*next)) {
                return Some(length);
            }
        }
        self.unquoted_until = self.text.len();
        None
    }

    fn word_or_filter(&mut self, ignored: &mut Ignored) -> Token<'a> {
        let rest = self.rest();
        let body = rest.trim_start_matches(|c| is_apostrophe(c) || matches!(c, '*' | '-' | '!'));
        let lead = rest.len() - body.len();
        if let Some((length, filter)) = filter_at(body) {
            let raw = self.take(lead + length);
            if filter.is_none() {
                ignored.note(raw);
            }
            return Token::Leaf(raw, filter.map(Expression::Filter));
        }
        let raw = self.take(lead + word_length(body));
        match raw {
            "AND" => Token::And(raw),
            "OR" => Token::Or(raw),
            "NOT" => Token::Not(raw),
            _ => Token::Leaf(raw, word(raw, lead, ignored).map(Expression::Term)),
        }
    }
}

/// The length of the filter at the beginning of `body`, and the filter, if its value makes sense; `None` when there is
/// none. `tag:*` is the prefix form of a word.
fn filter_at(body: &str) -> Option<(usize, Option<Filter>)> {
    let begins_with = |key: &&str| {
        let word = body.as_bytes().get(..key.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(key.as_bytes())) && body[key.len()..].starts_with(':')
    };
    let key = Filter::KEYS.into_iter().find(begins_with)?;
    let value = &body[key.len() + 1..];
    if let Some((quoted, length)) = quoted_value(value) {
        return Some((key.len() + 1 + length, Filter::read(key, quoted)));
    }
    let value = &value[..value.find(ends_word).unwrap_or(value.len())];
    let is_prefix = !value.is_empty() && value.chars().all(|c| c == '*');
    (!is_prefix).then(|| (key.len() + 1 + value.len(), Filter::read(key, value)))
}

/// What stands between the quotes at the beginning of `value`, and the length with quotes.
fn quoted_value(value: &str) -> Option<(&str, usize)> {
    let first = value.chars().next().filter(|c| is_double_quote(*c))?;
    let inner = &value[first.len_utf8()..];
    // A tag can have curved quotes, so a straight one ends only at a straight one.
    let ends = |c: char| {
        if first == '"' {
            c == '"'
        } else {
            is_curved_double_quote(c)
        }
    };
    let (length, last) = inner.char_indices().find(|(_, c)| ends(*c))?;
    Some((&inner[..length], first.len_utf8() + length + last.len_utf8()))
}

/// The length of the word at the beginning of `body`: to white space or an operator, but an address of the web may have
/// `&` and `|` in it.
fn word_length(body: &str) -> usize {
    let mut is_address = false;
    let ends = |(place, c): &(usize, char)| {
        is_address |= body[*place..].starts_with("://");
        ends_word(*c) && !(is_address && matches!(c, '&' | '|'))
    };
    body.char_indices().find(ends).map_or(body.len(), |(place, _)| place)
}

/// The word or prefix in `raw`, whose first `lead` bytes are punctuation.
fn word(raw: &str, lead: usize, ignored: &mut Ignored) -> Option<Term> {
    let body = &raw[lead..];
    let base = body.trim_end_matches(|c| is_apostrophe(c) || matches!(c, '*' | ':'));
    let is_prefix = body[base.len()..].contains('*');
    let prefix = if is_prefix { Term::prefix(base) } else { None };
    let lost_a_star = raw[..lead].contains('*') || (is_prefix && prefix.is_none());
    let term = prefix.or_else(|| Term::word(base));
    if term.is_none() || lost_a_star || looks_like_a_filter(base) {
        ignored.note(raw);
    }
    term
}

fn looks_like_a_filter(word: &str) -> bool {
    word.split_once(':').is_some_and(|(key, value)| {
        let is_name = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_name && !value.is_empty() && !value.starts_with("//")
    })
}
