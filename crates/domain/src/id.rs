//! Identifiers: each is its own type, so that one is never taken for another.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The number of a task, 1 to 2⁵³ − 1: what every JSON reader holds exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(i64);

impl TaskId {
    /// The largest task id, 2⁵³ − 1.
    pub const MAX: i64 = (1 << 53) - 1;

    /// Takes a number between 1 and [`TaskId::MAX`].
    pub fn new(number: i64) -> Result<Self, InvalidId> {
        if (1..=Self::MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidId::Task)
        }
    }

    /// The number itself.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads plain decimal digits without sign or leading zero, so that one task has one spelling in paths and record keys.
impl FromStr for TaskId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        let number = if plain { text.parse().ok() } else { None };
        number.ok_or(InvalidId::Task).and_then(Self::new)
    }
}

/// The name of a user as the token's `sub` has it: 1 to 255 characters without control characters, otherwise opaque.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(String);

impl UserId {
    /// The most characters of a user id.
    pub const MAX_CHARS: usize = 255;

    /// Takes the text as it is: two ids that differ in one byte are two users.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidId> {
        let text = text.into();
        let length = text.chars().take(Self::MAX_CHARS + 1).count();
        if (1..=Self::MAX_CHARS).contains(&length) && !text.contains(char::is_control) {
            Ok(Self(text))
        } else {
            Err(InvalidId::User)
        }
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for UserId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::new(text)
    }
}

/// The id of a series: what the instances of one recurring task have in common. Never the nil UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(Uuid);

impl SeriesId {
    /// Takes any UUID but the nil one; new series get a `UUIDv7`.
    pub fn new(uuid: Uuid) -> Result<Self, InvalidId> {
        if uuid.is_nil() {
            Err(InvalidId::Series)
        } else {
            Ok(Self(uuid))
        }
    }

    /// The UUID itself.
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for SeriesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SeriesId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map_err(|_| InvalidId::Series).and_then(Self::new)
    }
}

/// A text or number is no id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a task id.
    #[error("a task id is a whole number from 1 to {}", TaskId::MAX)]
    Task,
    /// Not a user id.
    #[error("a user id has 1 to {} characters and no control characters", UserId::MAX_CHARS)]
    User,
    /// Not a series id.
    #[error("a series id is a UUID other than the nil one")]
    Series,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_id_has_one_spelling() {
        for text in ["1", "21", "9007199254740991"] {
            assert_eq!(text.parse::<TaskId>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "0",
            "-1",
            "+1",
            "01",
            " 1",
            "1.0",
            "9007199254740992",
            "99999999999999999999",
            "１",
        ] {
            assert_eq!(text.parse::<TaskId>(), Err(InvalidId::Task), "{text:?}");
        }
    }

    #[test]
    fn a_user_id_is_opaque_but_bounded() {
        for text in ["a", "auth0|42", "ünï", &"x".repeat(255)] {
            assert_eq!(UserId::new(text).unwrap().as_str(), text);
        }
        for text in ["", "a\0b", "a\nb", &"x".repeat(256)] {
            assert_eq!(UserId::new(text), Err(InvalidId::User), "{text:?}");
        }
    }

    #[test]
    fn the_nil_uuid_is_no_series() {
        let text = "0197c1a0-0000-7000-8000-000000000001";
        assert_eq!(text.parse::<SeriesId>().unwrap().to_string(), text);
        assert_eq!(Uuid::nil().to_string().parse::<SeriesId>(), Err(InvalidId::Series));
        assert_eq!("7".parse::<SeriesId>(), Err(InvalidId::Series));
    }
}
