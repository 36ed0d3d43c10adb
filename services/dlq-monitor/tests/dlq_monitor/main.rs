//! The service seen from outside: a process of its own, over HTTP and its command line, with a real PostgreSQL and a real
//! Kafka, and consumers that give events up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::float_cmp, reason = "metrics that count are whole numbers")]

mod api;
mod catalogue_entry;
mod consumer;
mod crashes;
mod dapr;
mod drill;
mod events;
mod guards;
mod outages;
mod poison;
mod world;
