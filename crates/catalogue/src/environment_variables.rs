//! The environment variables that our services read. Services parse them once, at start; errors name the variable.

mod table;

pub use table::*;

/// An environment variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Name in the process.
    pub name: &'static str,
    /// App ids of the services that read it.
    pub read_by: &'static [&'static str],
    /// Whether the value is confidential.
    pub secrecy: Secrecy,
    /// What happens without it.
    pub presence: Presence,
    /// Form, unit and range of the value.
    pub format: &'static str,
    /// What it decides; begins with `Secret:` when the value is confidential.
    pub help: &'static str,
}

/// Whether a value is confidential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// May stand in a manifest.
    Plain,
    /// Only ever referenced: from a Secret, never in a manifest, a log or an error.
    Secret,
}

/// What happens when a variable is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The service refuses to start.
    Required,
    /// The service refuses to start under the condition, told in words, and ignores the variable otherwise.
    RequiredWhen(&'static str),
    /// This value is taken.
    Default(&'static str),
    /// The feature behind it is off, as the help says.
    Optional,
}

impl EnvironmentVariable {
    /// Whether the value is confidential.
    pub const fn is_secret(&self) -> bool {
        matches!(self.secrecy, Secrecy::Secret)
    }
}
