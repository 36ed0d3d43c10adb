//! The CloudEvents 1.0 envelope in its JSON format: what we write, and what we ask of what we read.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    attribute::{EventId, Traceparent},
    scalar::{self, Instant, PaddedCounter},
};

/// The version of the specification.
pub(crate) const SPEC_VERSION: &str = "1.0";

/// The most characters of a `source`: it becomes part of a key in databases, which refuse a long one.
const MAX_SOURCE_CHARS: usize = 255;

/// A `CloudEvents` 1.0 envelope, structured mode, JSON format. Attributes of other names may be added on the way.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Envelope<'a, D> {
    /// Version of the `CloudEvents` specification.
    #[schemars(extend("const" = SPEC_VERSION))]
    pub(crate) specversion: &'static str,
    /// The identity of the event, together with `source`. Fixed when the change is stored, so a repeated publish has the
    /// same one. The first 48 bits hold the millisecond; its UTC date is the event's day.
    pub(crate) id: EventId,
    /// The service that published it first: `/services/<app id>`.
    #[schemars(length(min = 1, max = MAX_SOURCE_CHARS), extend("format" = "uri-reference"))]
    pub(crate) source: &'a str,
    /// What happened, with the major version of the payload.
    #[schemars(length(min = 1))]
    pub(crate) r#type: &'static str,
    /// The task: its number in decimal digits.
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,15}$"))]
    pub(crate) subject: String,
    /// When it happened, as `timestamp` in the payload.
    #[schemars(with = "Instant")]
    pub(crate) time: Timestamp,
    /// The payload is JSON.
    #[schemars(extend("const" = "application/json"))]
    pub(crate) datacontenttype: &'static str,
    /// The address of the schema of the payload.
    #[schemars(length(min = 1), extend("format" = "uri"))]
    pub(crate) dataschema: String,
    /// The key of the record: as `subject`, so that the events of one task keep their order.
    #[schemars(regex(pattern = r"^[1-9][0-9]{0,15}$"))]
    pub(crate) partitionkey: String,
    /// The version of the task, padded to 16 digits: the order of the events of one task, without a gap.
    #[schemars(with = "PaddedCounter")]
    pub(crate) sequence: String,
    /// On task events: a counter of the user's changes, padded to 16 digits. A gap means that an event is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PaddedCounter")]
    pub(crate) userseq: Option<String>,
    /// The W3C trace context in which the event was written; absent when nothing was traced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Traceparent")]
    pub(crate) traceparent: Option<&'a Traceparent>,
    /// The payload.
    #[schemars(with = "Map<String, Value>")]
    pub(crate) data: D,
}

/// What says whether the rest concerns us.
#[derive(Deserialize)]
pub(crate) struct Head {
    pub(crate) specversion: String,
    pub(crate) r#type: String,
}

/// The attributes that a reader uses. A broker or sidecar may change or drop the others (`partitionkey` says so itself).
#[derive(Deserialize)]
pub(crate) struct Attributes {
    pub(crate) id: EventId,
    pub(crate) source: String,
    pub(crate) subject: String,
    #[serde(deserialize_with = "scalar::instant")]
    pub(crate) time: Timestamp,
    pub(crate) sequence: String,
    pub(crate) userseq: Option<String>,
    pub(crate) traceparent: Option<Value>,
}

impl Attributes {
    /// Whether `source` can be part of the identity.
    pub(crate) fn has_source(&self) -> bool {
        (1..=MAX_SOURCE_CHARS).contains(&self.source.chars().count())
    }

    /// The trace context, when it is a usable one. A damaged one costs a link, and must not cost the event.
    pub(crate) fn traceparent(&self) -> Option<Traceparent> {
        self.traceparent.as_ref()?.as_str()?.parse().ok()
    }
}
