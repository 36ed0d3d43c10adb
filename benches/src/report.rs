//! What was measured, in a form that can be kept: one section per measure, each with the machine and the commit it
//! was measured on, so that a part can be measured again alone.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::stats::Spread;

/// All that was ever measured, by the name of the measure.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) sections: BTreeMap<String, Section>,
}

/// One measure.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) title: String,
    /// How it was measured.
    pub(crate) method: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    pub(crate) goals: Vec<Goal>,
    pub(crate) plots: Vec<Plot>,
    /// The numbers themselves.
    pub(crate) data: Value,
    pub(crate) stamp: Stamp,
}

/// What was wanted, and what is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) is: String,
    pub(crate) met: bool,
}

/// Where, when and of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) machine: String,
    pub(crate) versions: String,
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) quick: bool,
}

/// Bars side by side.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plot {
    /// Name of its file, without the ending.
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) unit: String,
    pub(crate) bars: Vec<Bar>,
    /// A line at this value.
    pub(crate) goal: Option<f64>,
    pub(crate) logarithmic: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: Spread,
}

impl Goal {
    pub(crate) fn at_least(what: impl Into<String>, wanted: f64, is: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            wanted: format!("≥ {}{unit}", number(wanted)),
            is: format!("{}{unit}", number(is)),
            met: is >= wanted,
        }
    }

    pub(crate) fn at_most(what: impl Into<String>, wanted: f64, is: f64, unit: &str) -> Self {
        Self {
            what: what.into(),
            wanted: format!("≤ {}{unit}", number(wanted)),
            is: format!("{}{unit}", number(is)),
            met: is <= wanted,
        }
    }
}

impl Bar {
    pub(crate) fn new(label: impl Into<String>, value: Spread) -> Self {
        Self {
            label: label.into(),
            value,
        }
    }
}

impl Report {
    /// What is kept in this file; nothing when there is none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is of another release; delete it", path.display()))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, serde_json::to_string_pretty(self)?)
            .with_context(|| format!("could not write {}", path.display()))
    }
}

/// A number with three digits that mean something, and thousands apart.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) && grouped != "-" {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match rest {
        Some(rest) => format!("{grouped}.{rest}"),
        None => grouped,
    }
}

/// The middle, and between what it lay.
pub(crate) fn spread(spread: &Spread) -> String {
    format!(
        "{} ({} to {})",
        number(spread.median),
        number(spread.min),
        number(spread.max)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_mean_something() {
        let texts = [0.4123, 12.345, 456.78, 12_345.6, 1_234_567.0, -1234.0].map(number);
        assert_eq!(texts, ["0.41", "12.3", "457", "12,346", "1,234,567", "-1,234"]);
    }
}
