//! Values with a unit. Each is read from one spelling and refused with the spelling that was meant.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};

/// Whether `text` is a well-formed value of the named JSON Schema `format`; unknown formats accept all.
///
/// # Errors
/// What is wrong and how it is spelt.
pub fn check_format(format: &str, text: &str) -> Result<(), String> {
    fn parses<T: FromStr<Err = String>>(text: &str) -> Result<(), String> {
        text.parse::<T>().map(drop)
    }
    match format {
        Cpu::FORMAT => parses::<Cpu>(text),
        Bytes::FORMAT => parses::<Bytes>(text),
        Duration::FORMAT => parses::<Duration>(text),
        Percent::FORMAT => parses::<Percent>(text),
        KubernetesVersion::FORMAT => parses::<KubernetesVersion>(text),
        Date::FORMAT => parses::<Date>(text),
        DnsLabel::FORMAT => parses::<DnsLabel>(text),
        DnsName::FORMAT => parses::<DnsName>(text),
        HostPort::FORMAT => parses::<HostPort>(text),
        HttpsUrl::FORMAT => parses::<HttpsUrl>(text),
        _ => Ok(()),
    }
}

macro_rules! text_format {
    ($type:ident, $format:literal, $pattern:literal, $description:literal) => {
        impl $type {
            /// Its name among JSON Schema formats.
            pub const FORMAT: &'static str = $format;
        }
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string", "format": $format, "pattern": $pattern, "description": $description
                })
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// Processor time in thousandths of a core: `500m`, or whole cores as `2`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpu(pub u64);

impl Cpu {
    /// Its name among JSON Schema formats.
    pub const FORMAT: &'static str = "cpu";
}

impl FromStr for Cpu {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let spelling =
            || format!("write thousandths of a core such as `500m`, or whole cores such as `2`; `{text}` is neither");
        let millis = match text.strip_suffix('m') {
            Some(millis) => millis.parse().ok(),
            None => text.parse::<u64>().ok().and_then(|cores| cores.checked_mul(1000)),
        };
        millis.filter(|m| *m <= 1_000_000).map(Self).ok_or_else(spelling)
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}", self.0 / 1000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}

impl Serialize for Cpu {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cpu {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Cores(u64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Cores(cores) => cores.to_string().parse().map_err(D::Error::custom),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

impl JsonSchema for Cpu {
    fn schema_name() -> Cow<'static, str> {
        "Cpu".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"], "format": Self::FORMAT, "pattern": "^[0-9]+m?$", "minimum": 0, "maximum": 1000,
            "description": "Processor time: thousandths of a core (`500m`) or whole cores (`2`)."
        })
    }
}

/// An amount of memory or storage, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const BINARY_UNITS: [(&str, u64); 4] = [("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];

impl Bytes {
    /// The largest amount that can be written: sums over a cluster stay far below 2⁶⁴.
    pub const MOST: Self = Self(1 << 50);
    /// Whole mebibytes.
    pub const fn mi(mebibytes: u64) -> Self {
        Self(mebibytes << 20)
    }
    /// Whole gibibytes.
    pub const fn gi(gibibytes: u64) -> Self {
        Self(gibibytes << 30)
    }
}

impl FromStr for Bytes {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        for (suffix, unit) in BINARY_UNITS {
            if let Some(count) = text.strip_suffix(suffix) {
                let bytes = count.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
                return match bytes {
                    Some(bytes) if (1..=Self::MOST.0).contains(&bytes) => Ok(Self(bytes)),
                    Some(_) => Err(format!("an amount is more than nothing and at most `{}`", Self::MOST)),
                    None => Err(format!("write a whole number before `{suffix}`; `{text}` is not one")),
                };
            }
        }
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let meant = match text[digits.len()..].chars().next() {
            Some('k' | 'K') => "Ki",
            Some('g' | 'G') => "Gi",
            Some('t' | 'T') => "Ti",
            _ => "Mi",
        };
        Err(if digits.is_empty() {
            format!("write an amount such as `512Mi` or `50Gi`; `{text}` is not one")
        } else {
            format!("write the unit as Ki, Mi, Gi or Ti: did you mean `{digits}{meant}`?")
        })
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (suffix, unit) in BINARY_UNITS {
            if self.0 >= unit && self.0.is_multiple_of(unit) {
                return write!(f, "{}{suffix}", self.0 / unit);
            }
        }
        write!(f, "{}", self.0)
    }
}

text_format!(
    Bytes,
    "bytes",
    "^[0-9]+(Ki|Mi|Gi|Ti)$",
    "An amount of memory or storage with a binary unit: `512Mi`, `50Gi`."
);

/// A length of time, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub u64);

const TIME_UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

impl Duration {
    /// The longest time that can be written: ten years.
    pub const MOST: Self = Self::days(3650);
    /// Whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1000)
    }
    /// Whole days.
    pub const fn days(days: u64) -> Self {
        Self(days * 86_400_000)
    }
    /// Seconds, rounded up.
    pub const fn as_seconds(self) -> u64 {
        self.0.div_ceil(1000)
    }
    /// As Go, Flux and Prometheus read it: no days (`2160h`, `1m30s`, `250ms`).
    pub fn go(self) -> String {
        self.spelt(&TIME_UNITS[1..])
    }
    fn spelt(self, units: &[(&str, u64)]) -> String {
        let mut rest = self.0;
        let mut out = String::new();
        for (suffix, unit) in units {
            if rest >= *unit {
                out.push_str(&(rest / unit).to_string());
                out.push_str(suffix);
                rest %= unit;
            }
        }
        if out.is_empty() { "0s".to_owned() } else { out }
    }
}

impl FromStr for Duration {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!("write the unit: did you mean `{text}s`?"));
        }
        let spelling =
            || format!("write a length of time such as `250ms`, `5s`, `10m`, `12h` or `90d`; `{text}` is not one");
        let mut total: u64 = 0;
        let mut rest = text;
        let mut last_unit = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let count: u64 = rest[..digits].parse().map_err(|_| spelling())?;
            let word = &rest[digits..];
            let letters = word.len() - word.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
            let (_, unit) = TIME_UNITS
                .iter()
                .find(|(suffix, _)| *suffix == &word[..letters])
                .ok_or_else(spelling)?;
            if *unit >= last_unit {
                return Err(spelling());
            }
            last_unit = *unit;
            total = count
                .checked_mul(*unit)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(spelling)?;
            rest = &word[letters..];
        }
        match total {
            _ if text.is_empty() => Err(spelling()),
            total if total > Self::MOST.0 => Err(format!("a length of time is at most `{}`", Self::MOST)),
            total => Ok(Self(total)),
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelt(&TIME_UNITS))
    }
}

text_format!(
    Duration,
    "duration-with-unit",
    "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
    "A length of time with its unit: `250ms`, `5s`, `10m`, `12h`, `90d`, `1m30s`."
);

/// A share in hundredths of a percent, 0 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u32);

impl Percent {
    /// Whole percents.
    pub const fn whole(percent: u32) -> Self {
        Self(percent * 100)
    }
    /// The number before the percent sign.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 100.0
    }
}

impl FromStr for Percent {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let Some(number) = text.strip_suffix('%') else {
            return Err(match text.parse::<f64>() {
                Ok(share) if share <= 1.0 => format!("write a share with its sign: did you mean `{}%`?", share * 100.0),
                Ok(percent) => format!("write a share with its sign: did you mean `{percent}%`?"),
                Err(_) => format!("write a share such as `10%`; `{text}` is not one"),
            });
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let padded = format!("{fraction:0<2}");
        let hundredths = (fraction.len() <= 2 && number.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
            .then(|| Some(whole.parse::<u32>().ok()?.checked_mul(100)? + padded.parse::<u32>().ok()?))
            .flatten();
        match hundredths {
            Some(hundredths) if hundredths <= 10_000 => Ok(Self(hundredths)),
            Some(_) => Err(format!("a share is at most `100%`; `{text}` is more")),
            None => Err(format!("write a share such as `10%` or `0.5%`; `{text}` is not one")),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent())
    }
}

text_format!(
    Percent,
    "percent",
    r"^[0-9]+(\.[0-9]{1,2})?%$",
    "A share with its sign: `10%`, `0.5%`, at most `100%`."
);

/// A Kubernetes minor version such as 1.34.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KubernetesVersion(pub u32);

impl FromStr for KubernetesVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_prefix("1.")
            .filter(|minor| !minor.starts_with('0'))
            .and_then(|minor| minor.parse().ok())
            .map(Self)
            .ok_or_else(|| format!("write a minor version in quotes such as \"1.34\"; `{text}` is not one"))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

text_format!(
    KubernetesVersion,
    "kubernetes-version",
    r"^1\.[1-9][0-9]?$",
    "A Kubernetes minor version, in quotes: \"1.34\"."
);

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year, four digits.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31.
    pub day: u8,
}

impl FromStr for Date {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (year, rest) = text.split_once('-')?;
            let (month, day) = rest.split_once('-')?;
            if (year.len(), month.len(), day.len()) != (4, 2, 2) {
                return None;
            }
            let date = Self {
                year: year.parse().ok()?,
                month: month.parse().ok()?,
                day: day.parse().ok()?,
            };
            let leap = date.year.is_multiple_of(4) && (!date.year.is_multiple_of(100) || date.year.is_multiple_of(400));
            let days = match date.month {
                4 | 6 | 9 | 11 => 30,
                2 if leap => 29,
                2 => 28,
                1..=12 => 31,
                _ => return None,
            };
            (1..=days).contains(&date.day).then_some(date)
        };
        parse().ok_or_else(|| format!("write a day as `2027-06-30`; `{text}` is not one"))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

text_format!(Date, "day", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "A day: `2027-06-30`.");

mod names;

pub use names::{DnsLabel, DnsName, HostPort, HttpsUrl};

#[cfg(test)]
mod tests;
