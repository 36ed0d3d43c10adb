//! The tolerant reader: from the value of a record to an [`Event`].

use std::fmt::Display;

use catalogue::{EventType, event_types};
use domain::task::transition::ChangeKind;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    attribute::{CorrelationId, Counter},
    contract::Contract,
    envelope::{Attributes, Head, SPEC_VERSION},
    event::{Body, Context, Event, ReminderDue, TaskChanged, type_of},
    parse_error::{Misfit, ParseError, read, refuse_nul, shortened},
    payload::{ReminderPayload, TaskPayload},
    upcast::{UPCASTERS, Upcaster, upcast},
    version::family_and_major,
};

impl Event {
    /// Reads the value of a record. Fields that this reader does not know are ignored, and the payload of an older major
    /// version is lifted to the current one.
    pub fn parse(record: &[u8]) -> Result<Self, ParseError> {
        parse_with(UPCASTERS, record)
    }
}

pub(crate) fn parse_with(upcasters: &[Upcaster], record: &[u8]) -> Result<Event, ParseError> {
    let mut value: Value =
        serde_json::from_slice(record).map_err(|error| ParseError::NotJson(Misfit::new("", error)))?;
    let payload = value.get_mut("data").map(Value::take);
    let head: Head = read("", value.clone()).map_err(ParseError::NotAnEnvelope)?;
    if head.specversion != SPEC_VERSION {
        return Err(not_an_envelope("/specversion", "expected CloudEvents 1.0"));
    }
    let (event_type, major) = known_type(&head.r#type)?;
    refuse_nul("", &value).map_err(ParseError::NotAnEnvelope)?;
    let attributes: Attributes = read("", value).map_err(ParseError::NotAnEnvelope)?;
    if !attributes.has_source() {
        return Err(not_an_envelope("/source", "expected 1 to 255 characters"));
    }
    let payload = payload.ok_or_else(|| not_an_envelope("/data", "expected a payload"))?;
    let payload = upcast(upcasters, event_type, major, object(payload)?)?;
    let kind = ChangeKind::ALL.into_iter().find(|kind| type_of(*kind) == event_type);
    let (correlation_id, body) = match kind {
        Some(kind) => task_changed(kind, &attributes, read_payload(payload)?)?,
        None => reminder_due(&attributes, read_payload(payload)?)?,
    };
    let context = Context {
        id: attributes.id,
        correlation_id,
        traceparent: attributes.traceparent(),
    };
    Ok(Event {
        context,
        source: attributes.source,
        time: attributes.time,
        body,
    })
}

/// The type in the catalogue, whose major version may be another one than that of the record.
fn known_type(name: &str) -> Result<(&'static EventType, u32), ParseError> {
    let known = || {
        let (family, major) = family_and_major(name)?;
        let mut types = event_types::ALL.iter();
        let event_type = types.find(|it| family_and_major(it.name).is_some_and(|(it, _)| it == family))?;
        Some((event_type, major))
    };
    known().ok_or_else(|| ParseError::UnknownType(shortened(name)))
}

fn object(payload: Value) -> Result<Value, ParseError> {
    refuse_nul("/data", &payload).map_err(ParseError::PayloadInvalid)?;
    // Serde would take the items of a list for fields in their order.
    if payload.is_object() {
        Ok(payload)
    } else {
        Err(ParseError::PayloadInvalid(Misfit::new("/data", "expected an object")))
    }
}

fn read_payload<T: DeserializeOwned>(payload: Value) -> Result<T, ParseError> {
    read("/data", payload).map_err(ParseError::PayloadInvalid)
}

fn task_changed(
    kind: ChangeKind,
    attributes: &Attributes,
    payload: TaskPayload<'_>,
) -> Result<(CorrelationId, Body), ParseError> {
    let snapshot = payload.task_snapshot.into_owned();
    let user_sequence = attributes.userseq.as_deref().unwrap_or_default();
    let user_sequence = counter("/userseq", user_sequence)?;
    let sequence = counter("/sequence", &attributes.sequence)?;
    agree(
        "/schema_version",
        payload.schema_version.major == Contract::of(type_of(kind)).version().major,
    )?;
    agree("/event_type", payload.event_type == kind.as_str())?;
    agree("/task_id", payload.task_id.to_string() == attributes.subject)?;
    agree("/timestamp", payload.timestamp == attributes.time)?;
    agree("/task_snapshot/id", snapshot.id == payload.task_id)?;
    agree("/task_snapshot/user_id", snapshot.user_id == payload.user_id)?;
    agree("/task_snapshot/version", snapshot.version == sequence)?;
    let changed = TaskChanged {
        kind,
        user_sequence,
        snapshot,
    };
    Ok((payload.correlation_id.into_owned(), Body::Task(Box::new(changed))))
}

fn reminder_due(attributes: &Attributes, payload: ReminderPayload<'_>) -> Result<(CorrelationId, Body), ParseError> {
    let version = counter("/sequence", &attributes.sequence)?;
    let event_type = &event_types::REMINDER_DUE;
    agree(
        "/schema_version",
        payload.schema_version.major == Contract::of(event_type).version().major,
    )?;
    agree("/event_type", payload.event_type == event_type.event_type)?;
    agree("/task_id", payload.task_id.to_string() == attributes.subject)?;
    agree("/timestamp", payload.timestamp == attributes.time)?;
    let due = ReminderDue {
        task_id: payload.task_id,
        user_id: payload.user_id,
        version,
        title: payload.title.into_owned(),
        due_at: payload.due_at,
        remind_at: payload.remind_at,
    };
    Ok((payload.correlation_id.into_owned(), Body::ReminderDue(due)))
}

fn counter(pointer: &str, text: &str) -> Result<Counter, ParseError> {
    Counter::from_padded(text).map_err(|error| not_an_envelope(pointer, error))
}

/// What stands twice in a record must be the same; `pointer` is the place in the payload.
fn agree(pointer: &str, same: bool) -> Result<(), ParseError> {
    if same {
        return Ok(());
    }
    let message = "does not agree with the rest of the event";
    Err(ParseError::PayloadInvalid(Misfit::new(
        format!("/data{pointer}"),
        message,
    )))
}

fn not_an_envelope(pointer: &str, message: impl Display) -> ParseError {
    ParseError::NotAnEnvelope(Misfit::new(pointer, message))
}
