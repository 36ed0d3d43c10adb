//! Events as JSON lines.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use opentelemetry::{Context as TraceContext, trace::TraceContextExt as _};
use serde::ser::{SerializeMap as _, Serializer as _};
use serde_json::Value;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Fields that every line has, or may have, of its own.
const RESERVED: &[&str] = &["timestamp", "level", "message", "target", "trace_id", "span_id"];
/// What names of fields begin with that are meant for traces alone.
const FOR_TRACES: &str = "otel.";

/// Writes each event as one JSON object in one line: `timestamp`, `level`, `message`, `target`, the fields of the
/// spans around it and its own, `trace_id` and `span_id` of the current span.
pub(super) struct JsonLog<W> {
    write_line: W,
}

impl<W: Fn(&[u8])> JsonLog<W> {
    /// Gives each line, its line break included, to the function.
    pub(super) fn new(write_line: W) -> Self {
        Self { write_line }
    }
}

/// Fields of a span or event, sorted.
#[derive(Debug, Default)]
struct Fields {
    message: Option<String>,
    others: BTreeMap<&'static str, Value>,
}

impl<S, W> Layer<S> for JsonLog<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: Fn(&[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context
            .event_scope(event)
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields
                    .others
                    .extend(of_span.others.iter().map(|(name, value)| (*name, value.clone())));
            }
        }
        event.record(&mut fields);
        // A line that cannot be built has nowhere to be told.
        if let Ok(line) = line(event, &fields) {
            (self.write_line)(&line);
        }
    }
}

fn line(event: &Event<'_>, fields: &Fields) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(256);
    let mut json = serde_json::Serializer::new(&mut line);
    let mut map = json.serialize_map(None)?;
    map.serialize_entry("timestamp", &format_args!("{:.6}", Timestamp::now()))?;
    map.serialize_entry("level", event.metadata().level().as_str())?;
    map.serialize_entry("message", fields.message.as_deref().unwrap_or_default())?;
    map.serialize_entry("target", event.metadata().target())?;
    for (name, value) in &fields.others {
        if RESERVED.contains(name) {
            map.serialize_entry(&format_args!("field.{name}"), value)?;
        } else if !name.starts_with(FOR_TRACES) {
            map.serialize_entry(name, value)?;
        }
    }
    let current = TraceContext::current();
    let span = current.span().span_context().clone();
    if span.is_valid() {
        map.serialize_entry("trace_id", &format_args!("{}", span.trace_id()))?;
        map.serialize_entry("span_id", &format_args!("{}", span.span_id()))?;
    }
    map.end()?;
    line.push(b'\n');
    Ok(line)
}

impl Fields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.others.insert(field.name(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = Some(format!("{value:?}"));
        } else {
            self.set(field, format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = Some(value.to_owned());
        } else {
            self.set(field, value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }
}
