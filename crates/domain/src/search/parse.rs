//! From tokens to the expression.
//!
//! First what cannot stand where it is goes, without recursion: then the rest is a sentence of a small grammar, nested
//! no deeper than [`MAX_DEPTH`].
//!
//! ```text
//! either = both { "|" both }      both = one { [ "&" ] one }      one = { "!" } ( leaf | "(" either ")" )
//! ```

use std::iter::Peekable;
use std::vec::IntoIter;

use super::scan::{Ignored, Token, tokens};
use super::term::Term;
use super::{Expression, MAX_DEPTH, MAX_LEAVES, Query};

/// Reads any text as a query, in time that grows with its length.
pub fn parse(text: &str) -> Query {
    let mut ignored = Ignored::default();
    let tokens = tokens(text, &mut ignored);
    let tokens = without_stray_parentheses(tokens, &mut ignored);
    let tokens = without_stray_operators(tokens, &mut ignored);
    let mut sentence = Sentence {
        tokens: tokens.into_iter().peekable(),
        leaves: 0,
        ignored,
    };
    let expression = sentence.either();
    Query {
        expression,
        ignored: sentence.ignored.into_list(),
    }
}

/// Drops parentheses without a partner, and pairs that lie too deep.
fn without_stray_parentheses<'a>(mut tokens: Vec<Token<'a>>, ignored: &mut Ignored) -> Vec<Token<'a>> {
    let mut open = Vec::new();
    let mut stray = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match token {
            Token::Open(_) => open.push(place),
            Token::Close(_) => match open.pop() {
                Some(partner) if open.len() >= MAX_DEPTH => stray.extend([partner, place]),
                Some(_) => {}
                None => stray.push(place),
            },
            _ => {}
        }
    }
    stray.extend(open);
    stray.sort_unstable();
    let mut stray = stray.into_iter().peekable();
    let mut place = 0;
    tokens.retain(|token| {
        let goes = stray.next_if_eq(&place).is_some();
        place += 1;
        if let (true, Token::Open(raw) | Token::Close(raw)) = (goes, token) {
            ignored.note(raw);
        }
        !goes
    });
    tokens
}

/// Drops operators that lack a side; those spelled as words become words.
fn without_stray_operators<'a>(tokens: Vec<Token<'a>>, ignored: &mut Ignored) -> Vec<Token<'a>> {
    let mut kept = Vec::with_capacity(tokens.len());
    for token in tokens {
        match token {
            Token::And(raw) | Token::Or(raw) if !ends_a_side(kept.last()) => kept.extend(as_word(raw, ignored)),
            Token::Close(raw) => {
                drop_trailing_operators(&mut kept, ignored);
                if kept.pop_if(|last| matches!(last, Token::Open(_))).is_some() {
                    ignored.note("()");
                    kept.push(Token::Leaf("()", None));
                } else {
                    kept.push(Token::Close(raw));
                }
            }
            _ => kept.push(token),
        }
    }
    drop_trailing_operators(&mut kept, ignored);
    kept
}

fn ends_a_side(token: Option<&Token<'_>>) -> bool {
    matches!(token, Some(Token::Leaf(..) | Token::Close(_)))
}

fn drop_trailing_operators(kept: &mut Vec<Token<'_>>, ignored: &mut Ignored) {
    while let Some(Token::And(raw) | Token::Or(raw) | Token::Not(raw)) = kept.last() {
        let word = as_word(raw, ignored);
        kept.pop();
        kept.extend(word);
    }
}

/// The word that an operator without a side is, if it is spelled as one.
fn as_word<'a>(operator: &'a str, ignored: &mut Ignored) -> Option<Token<'a>> {
    let Some(word) = Term::word(operator) else {
        ignored.note(operator);
        return None;
    };
    Some(Token::Leaf(operator, Some(Expression::Term(word))))
}

/// Tokens in which every parenthesis has its partner and every operator its sides.
struct Sentence<'a> {
    tokens: Peekable<IntoIter<Token<'a>>>,
    leaves: usize,
    ignored: Ignored,
}

impl Sentence<'_> {
    fn either(&mut self) -> Option<Expression> {
        let mut parts = Vec::new();
        loop {
            match self.both() {
                Some(Expression::Or(inner)) => parts.extend(inner),
                part => parts.extend(part),
            }
            if self.tokens.next_if(|token| matches!(token, Token::Or(_))).is_none() {
                return one_or_more(parts, Expression::Or);
            }
        }
    }

    fn both(&mut self) -> Option<Expression> {
        let mut parts = Vec::new();
        while let Some(token) = self
            .tokens
            .next_if(|token| !matches!(token, Token::Or(_) | Token::Close(_)))
        {
            match self.one(token) {
                Some(Expression::And(inner)) => parts.extend(inner),
                part => parts.extend(part),
            }
        }
        one_or_more(parts, Expression::And)
    }

    fn one(&mut self, first: Token<'_>) -> Option<Expression> {
        let (mut token, mut negated) = (first, false);
        while matches!(token, Token::Not(_) | Token::And(_)) {
            negated ^= matches!(token, Token::Not(_));
            token = self.tokens.next()?;
        }
        let expression = if let Token::Leaf(raw, expression) = token {
            self.counted(raw, expression?)?
        } else {
            let inner = self.either();
            self.tokens.next();
            inner?
        };
        Some(match expression {
            Expression::Not(inner) if negated => *inner,
            expression if negated => Expression::Not(Box::new(expression)),
            expression => expression,
        })
    }

    fn counted(&mut self, raw: &str, expression: Expression) -> Option<Expression> {
        self.leaves += 1;
        if self.leaves > MAX_LEAVES {
            self.ignored.note(raw);
            return None;
        }
        Some(expression)
    }
}

/// The list as one expression: the only entry itself, or all of them together.
fn one_or_more(mut parts: Vec<Expression>, together: impl Fn(Vec<Expression>) -> Expression) -> Option<Expression> {
    if parts.len() > 1 {
        Some(together(parts))
    } else {
        parts.pop()
    }
}
