//! What we promise to readers: the current version of each contract, and its schema.
//!
//! A schema is open: it says what is there, and that a reader ignores the rest. Writers promise more, that nothing else
//! is there; the tests check both.

use catalogue::{EventType, event_types};
use schemars::{Schema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::{
    envelope::Envelope,
    payload::{ReminderPayload, TaskPayload},
    version::{SchemaVersion, family_and_major},
};

/// Where the schemas are to be found; the `dataschema` of an event begins with it.
const BASE_URI: &str = "https://taskflow.dev/contracts/events";

/// Minor version of the payloads with a task. Raise it with every change of their schema that is not a breaking one.
const TASK_MINOR: u32 = 0;
/// Minor version of the payload of a reminder.
const REMINDER_MINOR: u32 = 0;
/// Minor version of the envelope.
const ENVELOPE_MINOR: u32 = 0;

/// A contract in its current version.
#[derive(Clone, Copy, Debug)]
pub struct Contract {
    /// Name and major version: the `type` of an event, or the name of the envelope.
    pub name: &'static str,
    /// Minor version.
    minor: u32,
    /// The `event_type` of its payload; the envelope has none.
    event_type: Option<&'static str>,
    schema: fn() -> Schema,
}

/// Every contract; the envelope comes last.
pub const CONTRACTS: [Contract; 6] = [
    Contract::task(event_types::TASK_CREATED),
    Contract::task(event_types::TASK_UPDATED),
    Contract::task(event_types::TASK_COMPLETED),
    Contract::task(event_types::TASK_DELETED),
    Contract::payload(event_types::REMINDER_DUE, REMINDER_MINOR, generate::<ReminderPayload>),
    Contract {
        name: "dev.taskflow.envelope.v1",
        minor: ENVELOPE_MINOR,
        event_type: None,
        schema: generate::<Envelope<()>>,
    },
];

impl Contract {
    const fn task(event_type: EventType) -> Self {
        Self::payload(event_type, TASK_MINOR, generate::<TaskPayload>)
    }

    const fn payload(event_type: EventType, minor: u32, schema: fn() -> Schema) -> Self {
        Self {
            name: event_type.name,
            minor,
            event_type: Some(event_type.event_type),
            schema,
        }
    }

    /// The contract of this type of event.
    pub(crate) fn of(event_type: &EventType) -> &'static Self {
        let mut contracts = CONTRACTS.iter();
        contracts
            .find(|it| it.name == event_type.name)
            .expect("a test finds a contract for each type of the catalogue")
    }

    /// The current version.
    #[must_use]
    pub fn version(&self) -> SchemaVersion {
        let (_, major) = family_and_major(self.name).expect("the catalogue ends each type with its major version");
        SchemaVersion {
            major,
            minor: self.minor,
        }
    }

    /// The name of its schema's file: `dev.taskflow.task.created.v1.0.json`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.{}.json", self.name, self.minor)
    }

    /// The address of its schema, `dataschema` in an event.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{BASE_URI}/{}", self.file_name())
    }

    /// Its JSON Schema (2020-12).
    #[must_use]
    pub fn schema(&self) -> Value {
        let mut schema = (self.schema)().to_value();
        schema["$id"] = json!(self.uri());
        schema["title"] = json!(format!("{} {}", self.name, self.version()));
        if let Some(event_type) = self.event_type {
            let properties = &mut schema["properties"];
            properties["event_type"]["const"] = json!(event_type);
            // Every minor version of the major: a newer writer is valid by an older schema.
            let versions = format!(r"^{}\.(0|[1-9][0-9]*)$", self.version().major);
            properties["schema_version"]["pattern"] = json!(versions);
        }
        schema
    }
}

/// The schema of what is written: a field that may be left out is not required, any other is.
fn generate<T: schemars::JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
}
