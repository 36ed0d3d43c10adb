//! Prints the page of a diagnostic code.

use super::Exit;
use anyhow::{Result, bail};
use std::io::Write as _;

/// The pages under `docs/errors/`, as they were when gen was built.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// Prints what a code means.
pub(crate) fn explain(code: &str) -> Result<Exit> {
    let wanted = code.to_uppercase();
    match PAGES.iter().find(|(code, _)| *code == wanted) {
        Some((_, page)) => {
            write!(std::io::stdout().lock(), "{page}")?;
            Ok(Exit::Nothing)
        }
        None => bail!("no diagnostic has the code `{code}`; codes look like TF0301, the list is docs/errors/README.md"),
    }
}
