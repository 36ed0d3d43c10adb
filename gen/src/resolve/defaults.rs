//! The defaults that were taken, so that people can see them.

use std::fmt::Display;

/// A value that the spec does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DefaultTaken {
    /// Where it would stand, as a JSON pointer.
    pub pointer: String,
    /// The value.
    pub value: String,
    /// Where it comes from.
    pub reason: &'static str,
}

/// Collects the defaults while resolving.
#[derive(Debug, Default)]
pub struct Defaults(Vec<DefaultTaken>);

impl Defaults {
    /// What the spec says, or the default, which is then on record.
    pub fn take<T>(&mut self, written: Option<T>, pointer: impl Into<String>, default: T, reason: &'static str) -> T
    where
        T: Show,
    {
        written.unwrap_or_else(|| {
            self.0.push(DefaultTaken {
                pointer: pointer.into(),
                value: default.show(),
                reason,
            });
            default
        })
    }

    /// By place.
    pub fn into_sorted(mut self) -> Vec<DefaultTaken> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}

/// How a default is shown to people: as they would write it.
pub trait Show {
    /// The text.
    fn show(&self) -> String;
}

impl<T: Display> Show for T {
    fn show(&self) -> String {
        self.to_string()
    }
}
