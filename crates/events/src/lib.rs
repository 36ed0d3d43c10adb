//! The envelope and the versioned payloads of our events.
//!
//! [`Event`] is what services handle: built from a change of the domain, written by [`Event::to_json`], read by
//! [`Event::parse`]. On the wire it is a `CloudEvents` 1.0 envelope around a payload, whose released schemas lie in
//! `contracts/events`. The writer is strict: it writes only what the current schema names. The reader is tolerant: it
//! ignores what it does not know, and lifts older major versions to the current one.
//!
//! This crate knows no broker, no database and no HTTP.

mod attribute;
mod contract;
mod envelope;
mod event;
mod parse;
mod parse_error;
mod payload;
mod scalar;
pub mod snapshot;
mod upcast;
mod version;

pub use attribute::{CorrelationId, Counter, EventId, InvalidAttribute, Traceparent};
pub use contract::{CONTRACTS, Contract};
pub use event::{Body, Context, Event, ReminderDue, TaskChanged};
pub use parse_error::{Misfit, ParseError};
pub use snapshot::TaskSnapshot;
pub use version::SchemaVersion;
