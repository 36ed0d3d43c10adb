//! For tests only: real engines, a database and topics per test, waiting for a state, tokens, service processes.
//!
//! Everything here panics when it cannot do its work: a test has no better answer. Only `core` knows
//! services of ours, by their entries in the catalogue; nothing here knows an event or a schema.

pub mod collector;
pub mod containers;
pub mod core;
pub mod crash_points;
pub mod database;
pub mod detour;
pub mod engines;
pub mod fuzz;
pub mod http;
pub mod keys;
pub mod replica;
pub mod scheduler;
pub mod service;
pub mod sidecar;
pub mod tokens;
pub mod topics;
pub mod wait;

mod elsewhere;
mod test_name;

pub use collector::Collector;
pub use containers::{Engine, EnginePair};
pub use core::{Core, Wiring};
pub use database::Database;
pub use detour::Detour;
pub use engines::{kafka_brokers, postgres_url};
pub use fuzz::Fuzz;
pub use replica::Replica;
pub use scheduler::Scheduler;
pub use service::Service;
pub use sidecar::{Resources, Sidecar};
pub use tokens::Issuer;
pub use topics::Topics;
pub use wait::{free_port, free_ports, wait_until};
