//! Reads specs and locks.

use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use taskflow_gen::Texts;
use taskflow_gen::diagnostic::Diagnostic;
use taskflow_gen::source::Source;
use taskflow_gen::spec::{codes, units::Date};

/// A spec is far smaller; what is larger is not read at all.
const READ_AT_MOST: u64 = 16 << 20;

/// What was read, and what could not be.
pub(crate) struct Read {
    pub(crate) texts: Vec<Texts>,
    pub(crate) unreadable: Vec<Diagnostic>,
}

/// The folder that holds `environments/`.
pub(crate) fn root(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let here = std::env::current_dir().context("could not find the current folder")?;
    match here.ancestors().find(|folder| folder.join("environments").is_dir()) {
        Some(root) => Ok(root.to_owned()),
        None => bail!("no folder `environments/` here or above; go into the repository, or name it with --root"),
    }
}

/// Every asked environment, or all of them, by name.
pub(crate) fn read(root: &Path, asked: &[String]) -> Result<Read> {
    let folder = root.join("environments");
    let all = names(&folder)?;
    let mut wanted: Vec<String> = if asked.is_empty() { all.clone() } else { asked.to_vec() };
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        bail!(
            "no environment in {}; copy one from the documentation to begin",
            folder.display()
        );
    }
    let mut read = Read {
        texts: Vec::new(),
        unreadable: Vec::new(),
    };
    for name in wanted {
        if !all.contains(&name) {
            bail!(
                "no environment `{name}`: environments/{name}.yaml is not there; known: {}",
                all.join(", ")
            );
        }
        match one(&folder, &name) {
            Ok(texts) => read.texts.push(texts),
            Err(problem) => read.unreadable.push(*problem),
        }
    }
    Ok(read)
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let file = entry
            .with_context(|| format!("could not read {}", folder.display()))?
            .file_name();
        let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".yaml")) else {
            continue;
        };
        let is_lock = name.rsplit_once('.').is_some_and(|(_, last)| last == "lock");
        if !is_lock && !name.starts_with('.') {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn one(folder: &Path, name: &str) -> Result<Texts, Box<Diagnostic>> {
    let lock = format!("{name}.lock.yaml");
    Ok(Texts {
        name: name.to_owned(),
        spec: source(folder, &format!("{name}.yaml"))?,
        lock: folder.join(&lock).exists().then(|| source(folder, &lock)).transpose()?,
    })
}

fn source(folder: &Path, file: &str) -> Result<Source, Box<Diagnostic>> {
    let path = folder.join(file);
    let shown = format!("environments/{file}");
    let unreadable = |cause: std::io::Error| {
        Box::new(
            Diagnostic::about_file(codes::UNREADABLE, &shown, format!("`{shown}` cannot be read: {cause}"))
                .fix("make it a plain file that you may read"),
        )
    };
    let size = std::fs::metadata(&path).map_err(unreadable)?.len();
    if size > READ_AT_MOST {
        let message = format!("`{shown}` has {size} bytes; a spec has a few thousand");
        return Err(Box::new(Diagnostic::about_file(codes::TOO_LARGE, &shown, message)));
    }
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(shown, text.trim_start_matches('\u{feff}').to_owned())),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].split(|byte| *byte == b'\n').count();
            let message = format!("`{shown}` is not UTF-8 text: byte {at}, line {line}");
            Err(Box::new(
                Diagnostic::about_file(codes::NOT_UTF8, &shown, message).fix("save it as UTF-8"),
            ))
        }
    }
}

/// Today in UTC. Only waivers look at it.
pub(crate) fn today() -> Date {
    let days = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() / 86_400);
    date(days)
}

/// The Gregorian date of a day since 1970-01-01.
fn date(days: u64) -> Date {
    let (mut year, mut rest) = (1970_u16, days);
    let is_leap = |year: u16| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while rest >= 365 + u64::from(is_leap(year)) {
        rest -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    let february = 28 + u64::from(is_leap(year));
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    #[expect(clippy::cast_possible_truncation, reason = "less than 31 after the loop above")]
    let day = rest as u8 + 1;
    Date { year, month, day }
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_become_dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_780, "2026-11-23"),
        ] {
            assert_eq!(date(days).to_string(), expected);
        }
    }
}
