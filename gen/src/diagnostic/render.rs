//! Diagnostics as a compiler prints them.

use super::{Diagnostic, Severity};
use crate::source::{Source, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// At most this many are printed; the rest are counted.
const SHOWN_AT_MOST: usize = 50;

/// One diagnostic with its snippet; `source` is the text of the file it is about.
pub fn render(diagnostic: &Diagnostic, source: Option<&Source>, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let code = diagnostic.code.to_string();
    let title = level.primary_title(&diagnostic.message).id(&code);
    let mut group = match (source, &diagnostic.span) {
        (Some(source), Some(span)) => {
            let mut snippet = Snippet::source(&source.text).path(&source.path).annotation(
                AnnotationKind::Primary
                    .span(visible(span, &source.text))
                    .label(&diagnostic.label),
            );
            for related in &diagnostic.related {
                snippet = snippet.annotation(
                    AnnotationKind::Context
                        .span(visible(&related.span, &source.text))
                        .label(&related.text),
                );
            }
            title.element(snippet)
        }
        _ => title.element(annotate_snippets::Origin::path(&diagnostic.path)),
    };
    if let Some(reason) = &diagnostic.reason {
        group = group.element(Level::NOTE.message(reason));
    }
    if let Some(fix) = &diagnostic.fix {
        group = group.element(Level::HELP.message(fix));
    }
    renderer.render(&[group] as &[Group<'_>])
}

/// All of them, and a last line that counts.
pub fn render_all(diagnostics: &[Diagnostic], sources: &[Source], renderer: &Renderer) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(SHOWN_AT_MOST) {
        let source = sources.iter().find(|s| s.path == diagnostic.path);
        out.push_str(&render(diagnostic, source, renderer));
        out.push_str("\n\n");
    }
    if diagnostics.len() > SHOWN_AT_MOST {
        let more = diagnostics.len() - SHOWN_AT_MOST;
        out = format!("{out}… and {more} more\n\n");
    }
    out
}

/// A span that can be drawn: inside the text, on character boundaries, of one line.
fn visible(span: &Span, text: &str) -> Span {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let mut end = span.end.clamp(start, line_end);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let trimmed = text[start..end].trim_end().len();
    start..start + trimmed.max(usize::from(end > start))
}
