//! The event bus on real engines: PostgreSQL, Kafka and the Java client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod contract;
mod dapr;
mod inbox;
mod kafka;
mod placement;
mod publisher;
mod sample;
mod support;
mod traces;
