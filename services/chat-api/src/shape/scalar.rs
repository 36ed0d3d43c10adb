//! Instants and wall times as text, read more strictly than jiff reads them: one spelling for people who write
//! programs, and no offset that is silently dropped.

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize as _, Deserializer, de::Error as _};
use utoipa::ToSchema;

/// A date and time of a wall clock, without an offset, in the years 1970 to 9999.
//
// The pattern knows the lengths of months and the leap years: whoever checks against it is not refused here.
#[derive(ToSchema)]
#[schema(
    value_type = String,
    pattern = r"^((19[7-9][0-9]|[2-9][0-9]{3})-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|(19(72|76|80|84|88|92|96)|[2-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[3579][26])00)-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?$",
    example = "2026-01-31T09:00:00",
)]
#[expect(dead_code, reason = "stands for its schema")]
pub(crate) struct WallTime(String);

/// An instant of RFC 3339 in the years 1970 to 9999.
#[derive(ToSchema)]
#[schema(value_type = String, format = DateTime, pattern = "^(19[7-9]|[2-9][0-9]{2})", example = "2026-01-31T08:00:00Z")]
#[expect(dead_code, reason = "stands for its schema")]
pub(crate) struct InstantText(String);

const NO_WALL_TIME: &str = "must be a date and time without an offset, such as `2026-01-31T09:00:00`";
const NO_INSTANT: &str = "must be an instant of RFC 3339, such as `2026-01-31T08:00:00Z`";

/// `2026-01-31T09:00:00`, with up to nine digits of a second's fraction.
pub(crate) fn wall_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_wall_time(&text).ok_or_else(|| D::Error::custom(NO_WALL_TIME))
}

/// As [`wall_time`], or nothing.
pub(crate) fn optional_wall_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse_wall_time(&text).ok_or_else(|| D::Error::custom(NO_WALL_TIME)))
        .transpose()
}

/// As [`wall_time`], a list of them.
pub(crate) fn wall_times<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DateTime>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let times = texts.iter().map(|text| parse_wall_time(text));
    times
        .collect::<Option<_>>()
        .ok_or_else(|| D::Error::custom(NO_WALL_TIME))
}

/// An instant of RFC 3339.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_instant(&text).ok_or_else(|| D::Error::custom(NO_INSTANT))
}

/// As [`instant`], or nothing.
pub(crate) fn optional_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse_instant(&text).ok_or_else(|| D::Error::custom(NO_INSTANT)))
        .transpose()
}

pub(crate) fn parse_wall_time(text: &str) -> Option<DateTime> {
    let rest = date_and_time(text)?;
    is_fraction(rest).then(|| text.parse().ok()).flatten()
}

pub(crate) fn parse_instant(text: &str) -> Option<Timestamp> {
    let rest = date_and_time(text)?;
    let offset = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, offset) = rest.split_at(offset);
    let whole =
        offset.eq_ignore_ascii_case("z") || matches_digits(offset, "+00:00") || matches_digits(offset, "-00:00");
    (is_fraction(fraction) && whole).then(|| text.parse().ok()).flatten()
}

/// What follows the seconds of a date and time.
fn date_and_time(text: &str) -> Option<&str> {
    const FORM: &str = "0000-00-00T00:00:00";
    let (head, rest) = text.split_at_checked(FORM.len())?;
    matches_digits(head, FORM).then_some(rest)
}

fn is_fraction(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix('.')
            .is_some_and(|digits| (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the text is the form, with any digit where that has a `0`.
fn matches_digits(text: &str, form: &str) -> bool {
    let pairs = || text.bytes().zip(form.bytes());
    text.len() == form.len()
        && pairs().all(|(byte, wanted)| {
            if wanted == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == wanted
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_times_have_one_spelling() {
        for text in ["2026-01-31T09:00:00", "2026-01-31T09:00:00.5", "0001-01-01T00:00:00"] {
            assert!(parse_wall_time(text).is_some(), "{text}");
        }
        for text in [
            "",
            "2026-01-31",
            "2026-01-31 09:00:00",
            "2026-01-31T09:00",
            "2026-01-31T09:00:00Z",
            "2026-01-31T09:00:00+02:00",
            "2026-02-30T09:00:00",
            "+002026-01-31T09:00:00",
            "2026-01-31T09:00:00.",
            "2026-01-31T09:00:00[Europe/Berlin]",
            "２026-01-31T09:00:00",
        ] {
            assert_eq!(parse_wall_time(text), None, "{text}");
        }
    }

    #[test]
    fn instants_have_an_offset() {
        for text in [
            "2026-01-31T09:00:00Z",
            "2026-01-31T10:00:00+01:00",
            "2026-01-31T09:00:00.000000Z",
        ] {
            assert_eq!(parse_instant(text), "2026-01-31T09:00:00Z".parse().ok(), "{text}");
        }
        for text in [
            "",
            "2026-01-31T09:00:00",
            "2026-01-31T09:00:00+01",
            "2026-01-31T09:00:00+25:61",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:00:00Z[UTC]",
            "2026-01-31T09:00:00+01:00[Europe/Berlin]",
            "99999-01-31T09:00:00Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
