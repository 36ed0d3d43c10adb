//! The service seen from outside: a process of its own, over HTTP, with a real PostgreSQL and a real Kafka.

mod accounts;
mod app;
mod bad_input;
mod batch;
mod changes;
mod contract;
mod crashes;
mod events;
mod fuzz;
mod idempotency;
mod isolation;
mod life;
mod lists;
mod me;
mod occurrences;
mod search;
mod slice;
mod two_writers;
