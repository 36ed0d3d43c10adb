//! Upcasters: lift the payload of an older major version to the next one.
//!
//! A breaking change is a new major version with a new `type`. The records of the old one stay on the topic and in dead
//! letters for months; the reader lifts them step by step, so that no consumer knows more than the current version.

use catalogue::EventType;
use serde_json::Value;

use crate::{
    parse_error::{Misfit, ParseError},
    version::family_and_major,
};

/// One step: from a major version of a family of types to the next.
pub(crate) struct Upcaster {
    /// The `type` without its major version: `dev.taskflow.task.created`.
    pub(crate) family: &'static str,
    /// The major version that it lifts.
    pub(crate) from: u32,
    /// Turns the payload into one of `from + 1`, `schema_version` included.
    pub(crate) lift: fn(Value) -> Result<Value, Misfit>,
}

/// Every step there is. No type has a second major version yet.
pub(crate) const UPCASTERS: &[Upcaster] = &[];

/// Lifts a payload of this type from `major` to the current version, in as many steps as it takes.
pub(crate) fn upcast(
    upcasters: &[Upcaster],
    event_type: &EventType,
    major: u32,
    mut payload: Value,
) -> Result<Value, ParseError> {
    let (family, current) = family_and_major(event_type.name).expect("the catalogue ends each type with its version");
    let unsupported = || ParseError::UnsupportedMajor(format!("{family}.v{major}"));
    if major > current {
        return Err(unsupported());
    }
    for from in major..current {
        let step = upcasters.iter().find(|it| it.family == family && it.from == from);
        let step = step.ok_or_else(unsupported)?;
        payload = (step.lift)(payload).map_err(ParseError::PayloadInvalid)?;
    }
    Ok(payload)
}
