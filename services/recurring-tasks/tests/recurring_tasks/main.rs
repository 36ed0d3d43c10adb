//! recurring-tasks as a process, between real Kafka, real PostgreSQL and a chat-api that notes what it is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod catalogue_entry;
mod chat_api;
mod completions;
mod configuration;
mod crashes;
mod faults;
mod outages;
mod stopping;
mod successors;
mod world;
