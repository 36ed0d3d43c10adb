//! The service seen from outside: a process of its own, over HTTP and its command line, with a real PostgreSQL and a real
//! Kafka.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::float_cmp, reason = "metrics that count are whole numbers")]

mod catalogue_entry;
mod crashes;
mod days;
mod events;
mod export;
mod fuzz;
mod giving_up;
mod outages;
mod record;
mod tampering;
mod trail;
mod verification;
mod world;
