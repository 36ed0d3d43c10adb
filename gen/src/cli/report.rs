//! Prints diagnostics.

use super::Format;
use super::inputs::Read;
use annotate_snippets::{Renderer, renderer::DecorStyle};
use anyhow::Result;
use std::io::Write as _;
use taskflow_gen::Compilation;
use taskflow_gen::diagnostic::{Diagnostic, Severity, render_all};
use taskflow_gen::output::State;
use taskflow_gen::source::Source;

/// Prints everything that was found, and answers how bad the worst is.
pub(crate) fn print(compilations: &[Compilation], read: &Read, format: Format) -> Result<Option<Severity>> {
    let found: Vec<Diagnostic> = read
        .unreadable
        .iter()
        .chain(compilations.iter().flat_map(|compilation| &compilation.diagnostics))
        .cloned()
        .collect();
    let sources: Vec<Source> = read
        .texts
        .iter()
        .flat_map(|texts| [Some(texts.spec.clone()), texts.lock.clone()])
        .flatten()
        .collect();
    match format {
        Format::Human => human(&found, &sources)?,
        Format::Json => lines(&found, &sources, json)?,
        Format::Github => lines(&found, &sources, github)?,
    }
    Ok(found.iter().map(|diagnostic| diagnostic.severity).min())
}

fn human(found: &[Diagnostic], sources: &[Source]) -> Result<()> {
    if found.is_empty() {
        return Ok(());
    }
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    let mut err = anstream::stderr().lock();
    write!(err, "{}", render_all(found, sources, &renderer))?;
    let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = found.len() - errors;
    if errors > 0 {
        writeln!(err, "{errors} error(s), {warnings} warning(s); nothing was written")?;
        writeln!(err, "more about one: cargo run -p gen -- --explain {}", found[0].code)?;
    } else {
        writeln!(err, "{warnings} warning(s)")?;
    }
    Ok(())
}

fn lines(found: &[Diagnostic], sources: &[Source], line: fn(&Diagnostic, (usize, usize)) -> String) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for diagnostic in found {
        let source = sources.iter().find(|source| source.path == diagnostic.path);
        let place = match (source, &diagnostic.span) {
            (Some(source), Some(span)) => source.line_and_column(span.start),
            _ => (1, 1),
        };
        writeln!(out, "{}", line(diagnostic, place))?;
    }
    Ok(())
}

fn json(diagnostic: &Diagnostic, (line, column): (usize, usize)) -> String {
    serde_json::json!({
        "schema": "gen.diagnostic/1",
        "code": diagnostic.code.to_string(),
        "severity": severity(diagnostic),
        "path": diagnostic.path,
        "line": line,
        "column": column,
        "message": diagnostic.message,
        "reason": diagnostic.reason,
        "fix": diagnostic.fix,
    })
    .to_string()
}

/// One file that differs, in a format.
pub(crate) fn difference(format: Format, state: State, path: &str) -> String {
    match format {
        Format::Human => format!("{state:8} {path}"),
        Format::Json => {
            serde_json::json!({ "schema": "gen.difference/1", "state": state.to_string(), "path": path }).to_string()
        }
        Format::Github => format!("::error file={path},title={state}::run gen and commit what it writes"),
    }
}

fn github(diagnostic: &Diagnostic, (line, column): (usize, usize)) -> String {
    let escaped = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let mut text = diagnostic.message.clone();
    for more in [&diagnostic.reason, &diagnostic.fix].into_iter().flatten() {
        text.push('\n');
        text.push_str(more);
    }
    let path = escaped(&diagnostic.path).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::{} file={path},line={line},col={column},title={}::{}",
        severity(diagnostic),
        diagnostic.code,
        escaped(&text)
    )
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
