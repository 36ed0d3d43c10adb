//! Publish and consume: one handler contract over the transports that may carry events.
//!
//! What every transport shares stands here: the [`Outgoing`] record, where its key places it
//! ([`partition_for_key`]), the inbox that makes a second delivery harmless ([`inbox`]), the trace context that
//! travels with an event ([`trace_context`]). [`kafka`] is the transport that talks to the brokers itself.
//!
//! It reads no environment and knows no HTTP and no service: settings, names and handlers are arguments.

pub mod crash;
pub mod inbox;
pub mod kafka;
mod outgoing;
mod partition;
pub mod trace_context;

pub use outgoing::Outgoing;
pub use partition::{murmur2, partition_for_key};
