//! The service seen from outside: a process of its own, over HTTP, with a real PostgreSQL and a real Kafka.

mod accounts;
mod app;
mod changes;
mod events;
mod idempotency;
mod occurrences;
mod search;
mod slice;
