//! The service seen from outside: a process of its own, over websockets and HTTP, with a real Kafka.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::float_cmp, reason = "metrics that count are whole numbers")]

mod catalogue_entry;
mod client;
mod entry;
mod events;
mod limits;
mod order;
mod outages;
mod replicas;
mod server_sent_events;
mod stopping;
mod world;
