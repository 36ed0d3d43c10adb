//! The outbox on a real PostgreSQL and a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test has no better answer")]

mod delivery;
mod failure;
mod sharing;
mod support;
mod waking;
