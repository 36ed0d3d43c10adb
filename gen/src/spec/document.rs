//! YAML text → a tree in which every key and value knows its place.
//!
//! A spec uses plain YAML only: one document, no anchors, aliases, tags or merge keys. That keeps a
//! reader from having to resolve references, and makes an alias bomb impossible.

use super::codes;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

/// Deeper than any sensible spec; bounds recursion.
const DEPTH_AT_MOST: usize = 64;
/// Larger than any sensible spec, in bytes.
const SIZE_AT_MOST: usize = 1 << 20;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The whole value.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a [`Node`] holds, by the YAML 1.2 core schema.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written.
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// The node a JSON pointer such as `/kafka/strimzi/brokers` leads to.
    pub fn at(&self, pointer: &str) -> Option<&Node> {
        self.walk(pointer).ok().map(|(_, node)| node)
    }

    /// The place of the key or list item a JSON pointer leads to, or of the nearest parent that is written.
    pub fn nearest_span(&self, pointer: &str) -> Span {
        match self.walk(pointer) {
            Ok((span, _)) | Err(span) => span,
        }
    }

    fn walk(&self, pointer: &str) -> Result<(Span, &Node), Span> {
        let mut node = self;
        let mut place = self.span.clone();
        for segment in pointer.split('/').skip(1) {
            match &node.value {
                Value::Map(entries) => {
                    let Some(entry) = entries.iter().find(|e| e.key == segment) else {
                        return Err(place);
                    };
                    place = entry.key_span.clone();
                    node = &entry.node;
                }
                Value::List(items) => {
                    let Some(item) = segment.parse::<usize>().ok().and_then(|i| items.get(i)) else {
                        return Err(place);
                    };
                    place = item.span.clone();
                    node = item;
                }
                _ => return Err(place),
            }
        }
        // A scalar is best shown itself; a block by its key.
        let span = match node.value {
            Value::Map(_) | Value::List(_) => place,
            _ => node.span.clone(),
        };
        Ok((span, node))
    }

    /// The plain data, for decoding.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Integer(i) => (*i).into(),
            Value::Float(f) => (*f).into(),
            Value::String(s) => s.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => {
                serde_json::Value::Object(entries.iter().map(|e| (e.key.clone(), e.node.to_json())).collect())
            }
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
/// Every problem found; a syntax error ends the reading, duplicates and aliases do not.
pub fn read(source: &Source) -> Result<Node, Vec<Diagnostic>> {
    if source.text.len() > SIZE_AT_MOST {
        let message = format!(
            "the file has {} bytes; a spec has at most {SIZE_AT_MOST}",
            source.text.len()
        );
        return Err(vec![Diagnostic::about_file(codes::TOO_LARGE, &source.path, message)]);
    }
    let mut reader = Reader {
        source,
        parser: Parser::new_from_str(&source.text),
        offsets: Offsets::new(&source.text),
        problems: Vec::new(),
    };
    match reader.document() {
        Ok(node) if reader.problems.is_empty() => Ok(node),
        Ok(_) => Err(reader.problems),
        Err(stop) => {
            reader.problems.push(*stop);
            Err(reader.problems)
        }
    }
}

struct Reader<'a> {
    source: &'a Source,
    parser: Parser<'a, StrInput<'a>>,
    offsets: Offsets,
    problems: Vec<Diagnostic>,
}

type Stop = Box<Diagnostic>;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node, Stop> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
                (Event::StreamEnd | Event::DocumentEnd, span) => {
                    return Err(Box::new(
                        self.problem(codes::SYNTAX, span, "the file holds no spec")
                            .fix("copy one of environments/*.yaml and change it"),
                    ));
                }
                (event, span) => {
                    let node = self.node(event, span, 0)?;
                    self.end_of_stream()?;
                    return Ok(node);
                }
            }
        }
    }

    fn end_of_stream(&mut self) -> Result<(), Stop> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), span) => {
                    let second = self.problem(
                        codes::NOT_PLAIN,
                        span,
                        "a second document begins here; a spec is one document",
                    );
                    self.problems.push(second);
                    return Ok(());
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Stop> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let start = self.offsets.byte(span.start.index());
                let end = self.offsets.byte(span.end.index());
                Ok((event, start..end.max(start)))
            }
            Some(Err(error)) => {
                let at = self.offsets.byte(error.marker().index());
                Err(Box::new(self.problem(
                    codes::SYNTAX,
                    at..at + 1,
                    format!("this is not YAML: {}", error.info()),
                )))
            }
            None => Ok((Event::StreamEnd, self.source.text.len()..self.source.text.len())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Stop> {
        if depth > DEPTH_AT_MOST {
            return Err(Box::new(self.problem(
                codes::NOT_PLAIN,
                span,
                format!("nested deeper than {DEPTH_AT_MOST} levels"),
            )));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), &span);
                Ok(Node {
                    value: scalar(&text, style),
                    span,
                })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), &span);
                self.list(span, depth)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), &span);
                self.map(span, depth)
            }
            Event::Alias(_) => {
                let alias = self
                    .problem(codes::NOT_PLAIN, span.clone(), "an alias (`*…`) stands here")
                    .reason("a spec is read by people: what a line means must stand on that line")
                    .fix("write the value out");
                self.problems.push(alias);
                Ok(Node {
                    span,
                    value: Value::Null,
                })
            }
            other => Err(Box::new(self.problem(
                codes::SYNTAX,
                span,
                format!("expected a value, found {other:?}"),
            ))),
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    return Ok(Node {
                        span: start.start..end.end,
                        value: Value::List(items),
                    });
                }
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (key, key_span) = match self.next()? {
                (Event::MappingEnd, end) => {
                    return Ok(Node {
                        span: start.start..end.end,
                        value: Value::Map(entries),
                    });
                }
                (Event::Scalar(text, ..), span) => (text.into_owned(), span),
                (_, span) => {
                    return Err(Box::new(self.problem(
                        codes::NOT_PLAIN,
                        span,
                        "a key of a spec is a word",
                    )));
                }
            };
            if key == "<<" {
                let merge = self
                    .problem(codes::NOT_PLAIN, key_span.clone(), "a merge key (`<<`)")
                    .fix("write the keys out");
                self.problems.push(merge);
            }
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            if let Some(first) = entries.iter().find(|e| e.key == key) {
                let duplicate = self
                    .problem(
                        codes::DUPLICATE_KEY,
                        key_span.clone(),
                        format!("`{key}` is written twice"),
                    )
                    .label("the second one")
                    .related(first.key_span.clone(), "the first one")
                    .reason("most YAML readers keep the last one without a word")
                    .fix("keep one of them");
                self.problems.push(duplicate);
                continue;
            }
            entries.push(Entry { key, key_span, node });
        }
    }

    fn refuse_decoration(&mut self, anchor: usize, tagged: bool, span: &Span) {
        let what = match (anchor, tagged) {
            (0, false) => return,
            (0, true) => "a tag (`!…`)",
            _ => "an anchor (`&…`)",
        };
        let problem = self
            .problem(codes::NOT_PLAIN, span.clone(), format!("{what} stands here"))
            .fix("write plain values");
        self.problems.push(problem);
    }

    fn problem(&self, code: crate::diagnostic::Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, &self.source.path, span, message)
    }
}

/// Character index → byte offset. The parser counts characters.
struct Offsets(Option<Vec<usize>>);

impl Offsets {
    fn new(text: &str) -> Self {
        // ASCII is by far the common case: characters are bytes.
        Self((!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()))
    }

    fn byte(&self, character: usize) -> usize {
        match &self.0 {
            None => character,
            Some(offsets) => offsets[character.min(offsets.len() - 1)],
        }
    }
}

/// YAML 1.2 core schema.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(Value::Integer);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok().map(Value::Integer);
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(Value::Integer);
    }
    if digits
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return text.parse().ok().map(Value::Float);
    }
    None
}
