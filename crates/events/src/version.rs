//! Versions of contracts: a major one that is part of the type, a minor one that grows with compatible changes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The version of a payload, `1.0` in `schema_version`.
///
/// A reader reads every minor version of the majors it knows: fields that it does not know are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SchemaVersion {
    /// Rises with a breaking change, together with the `type`.
    pub major: u32,
    /// Rises with every other change of the schema.
    pub minor: u32,
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for SchemaVersion {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let parse = || {
            let (major, minor) = text.split_once('.')?;
            Some(Self {
                major: number(major)?,
                minor: number(minor)?,
            })
        };
        parse().ok_or("expected a version such as 1.0")
    }
}

impl TryFrom<String> for SchemaVersion {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        text.parse()
    }
}

impl From<SchemaVersion> for String {
    fn from(version: SchemaVersion) -> Self {
        version.to_string()
    }
}

/// The family of a `type` and its major version: `dev.taskflow.task.created.v1` is `dev.taskflow.task.created`, 1.
pub(crate) fn family_and_major(name: &str) -> Option<(&str, u32)> {
    let (family, major) = name.rsplit_once(".v")?;
    Some((family, number(major)?))
}

/// Digits without a sign or a leading zero, so that a version has one spelling.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_spelling() {
        for text in ["0.0", "1.0", "1.10", "12.3"] {
            assert_eq!(text.parse::<SchemaVersion>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "1",
            "1.",
            ".0",
            "01.0",
            "1.00",
            "1.0.0",
            "+1.0",
            "1.4294967296",
            "v1.0",
        ] {
            assert!(text.parse::<SchemaVersion>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_type_ends_with_its_major_version() {
        assert_eq!(family_and_major("dev.task.created.v12"), Some(("dev.task.created", 12)));
        for name in [
            "dev.task.created",
            "dev.task.created.v",
            "dev.task.created.v01",
            "dev.task.created.v1.0",
        ] {
            assert_eq!(family_and_major(name), None, "{name}");
        }
    }
}
