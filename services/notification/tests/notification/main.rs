//! The service seen from outside: a process of its own, over HTTP and its command line, with a real PostgreSQL, a real
//! Kafka, and real receivers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::float_cmp, reason = "metrics that count are whole numbers")]

mod catalogue_entry;
mod channels;
mod crashes;
mod dapr;
mod delivery;
mod events;
mod jobs;
mod ledger;
mod mail;
mod outages;
mod push;
mod receiver;
mod smtp;
mod sweep;
mod world;
